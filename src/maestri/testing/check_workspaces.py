"""The conformance kit of the `Workspaces` port: what every kind of workspace must do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from maestri.errors import MaestriError, NotLanded, WorkspaceFailed, WorkspaceMissing
from maestri.kernel.ports import Work, Workspace, Workspaces
from maestri.records import NamedTuple

_RUN = "01M7WJC1MWRP9YCQS6T349YMYN"
_FILES = {"src/a.py": "a\n", "docs/x.md": "x\n"}


class _Case(NamedTuple):
    """Workspaces that are checked, and a directory with `_FILES` that they are made of."""

    places: Workspaces
    cwd: Path

    def begun(self, path: str, *after: str, claims: tuple[str, ...] = ()) -> Workspace:
        """Make a workspace."""
        return self.places.prepare(_RUN, path, str(self.cwd), claims=claims, after=after)

    def done(self, path: str, files: Mapping[str, str], *after: str) -> tuple[Workspace, Work]:
        """Make one, write some files there, and commit them."""
        made = self.begun(path, *after)
        _write(Path(made.dir), files)
        return made, self.places.finish(made)


def check_workspaces(
    make: Callable[[Path], Workspaces], fill: Callable[[Path, Mapping[str, str]], None], root: Path
) -> None:
    """Check that workspaces keep the promises of the port.

    Args:
        make: Makes workspaces that keep what they need in an empty folder; called once for each check.
        fill: Makes of a folder that is not there one that workspaces can be made of, with some files.
        root: An empty folder to do all that in.

    Raises:
        AssertionError: A promise is broken; says which.
    """
    for number, check in enumerate(_CHECKS):
        place = root / str(number)
        place.mkdir()
        cwd = place / "work"
        fill(cwd, _FILES)
        check(_Case(make(place / "kept"), cwd))


def _hold(condition: object, words: str) -> None:
    """Fail with some words unless something holds.

    Raises:
        AssertionError: It does not.
    """
    if not condition:
        raise AssertionError(words)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def _texts(folder: Path) -> dict[str, str]:
    return {name: (folder / name).read_text(encoding="utf-8") for name in _FILES if (folder / name).exists()}


def _refused(act: Callable[[], object], error: type[MaestriError]) -> bool:
    try:
        act()
    except error:
        return True
    return False


def _files_are_there_and_nothing_outside_changes(case: _Case) -> None:
    made = case.begun("/step")
    _hold(_texts(Path(made.dir)) == _FILES, "a workspace has the files of the directory")
    _write(Path(made.dir), {"src/a.py": "b\n", "new": "new\n"})
    case.places.finish(made)
    _hold(_texts(case.cwd) == _FILES, "the directory stays as it was")
    _hold(not (case.cwd / "new").exists(), "nothing comes into the directory")


def _it_is_made_once(case: _Case) -> None:
    made = case.begun("/step")
    _write(Path(made.dir), {"new": "new\n"})
    _hold(case.begun("/step") == made, "the same call gives the same workspace")
    _hold((Path(made.dir) / "new").exists(), "what was begun in a workspace stays")
    _hold(Workspace.from_json(made.as_json()) == made, "a workspace survives JSON")


def _what_was_done_is_told(case: _Case) -> None:
    made = case.begun("/step")
    _write(Path(made.dir), {"src/a.py": "b\n", "new": "new\n"})
    (Path(made.dir) / "docs" / "x.md").unlink()
    work = case.places.finish(made)
    told = (work.added, work.changed, work.deleted, work.stray)
    _hold(told == (("new",), ("src/a.py",), ("docs/x.md",), ()), "each changed file is told once")
    _hold(work.commit and case.places.finish(made) == work, "committing again gives the same commit")
    _hold(case.places.look(made) == work, "looking tells the same")
    _hold([one.state for one in case.places.held(_RUN)] == ["done"], "the workspace is done")


def _results_are_built_on(case: _Case) -> None:
    case.done("/one", {"src/a.py": "one\n"})
    case.done("/group/two", {"docs/x.md": "two\n"})
    case.done("/beside", {"src/a.py": "beside\n"})
    made = case.begun("/after", "/one", "/group")
    expected = {"src/a.py": "one\n", "docs/x.md": "two\n"}
    _hold(_texts(Path(made.dir)) == expected, "a step sees what it builds on, and nothing else")
    conflict = _refused(lambda: case.begun("/clash", "/one", "/beside"), WorkspaceFailed)
    _hold(conflict, "results that conflict are refused")


def _claims_are_held(case: _Case) -> None:
    made = case.begun("/step", claims=("src/**",))
    _write(Path(made.dir), {"src/a.py": "b\n", "docs/x.md": "y\n"})
    (Path(made.dir) / "src" / "link").symlink_to("/etc/passwd")
    work = case.places.finish(made)
    _hold(not work.commit and work.aside, "what is stray is kept aside, and nothing is committed")
    _hold({one["path"] for one in work.stray} == {"docs/x.md", "src/link"}, "each stray file is named")
    without = case.places.finish(made, stray="leave out")
    _hold((without.added, without.changed) == ((), ("src/a.py",)), "what is stray can be left out")
    whole = case.places.finish(made, stray="accept")
    _hold(whole.changed == ("docs/x.md", "src/a.py") and whole.commit, "what is stray can be accepted")


def _work_is_kept_until_it_has_landed(case: _Case) -> None:
    made, work = case.done("/step", {"src/a.py": "b\n"})
    _hold(_refused(lambda: case.places.remove(made), NotLanded), "work that has not landed is not removed")
    case.places.mark_landed(made, work.commit)
    _hold(case.places.held()[0].state == "landed", "what has landed is said to have")
    case.places.remove(made)
    _hold(not Path(made.dir).exists() and not case.places.held(), "what has landed is removed")


def _what_is_nowhere_else_is_kept(case: _Case) -> None:
    made = case.begun("/step")
    _write(Path(made.dir), {"new": "new\n"})
    _hold(case.places.held()[0].state == "working", "a workspace that is not committed is worked in")
    _hold(_refused(lambda: case.places.remove(made), NotLanded), "changes that nobody committed are kept")
    case.places.remove(made, discard=True)
    _hold(not case.places.held(_RUN), "what is to be discarded is removed")


def _what_is_empty_is_removed(case: _Case) -> None:
    made, _ = case.done("/step", {})
    _hold(case.places.held()[0].state == "empty", "a workspace in which nothing was changed is empty")
    case.places.remove(made)
    _hold(not case.places.held(), "an empty workspace is removed")


def _what_is_gone_is_said_to_be(case: _Case) -> None:
    made = case.begun("/step")
    Path(made.tree).rename(case.cwd.parent / "elsewhere")
    _hold(case.places.held()[0].state == "gone", "a workspace without files is gone")
    _hold(_refused(lambda: case.places.finish(made), WorkspaceMissing), "what is gone cannot be committed")


_CHECKS = (
    _files_are_there_and_nothing_outside_changes,
    _it_is_made_once,
    _what_was_done_is_told,
    _results_are_built_on,
    _claims_are_held,
    _work_is_kept_until_it_has_landed,
    _what_is_nowhere_else_is_kept,
    _what_is_empty_is_removed,
    _what_is_gone_is_said_to_be,
)
