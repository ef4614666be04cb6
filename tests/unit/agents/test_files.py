"""The agent that looks at files: what there is, what is empty, and what is in it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maestri.agents.files import FilesAgent
from maestri.errors import InputInvalid, RequiredMissing
from maestri.kernel.ports import Attempt, Task


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., Any]:
    def asked(**request: Any) -> Any:
        attempt = Attempt("r", "/s", 1, "k", str(tmp_path), print, print, print, print)  # type: ignore[arg-type]
        return asyncio.run(FilesAgent().perform(Task("files", request), attempt)).value

    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.md").write_text("a")
    (tmp_path / "out/empty.md").touch()
    return asked


def test_what_is_required_and_there_is_listed(look: Callable[..., Any]) -> None:
    assert look(requires=["out/*.md"]) == {"out/*.md": ["out/a.md", "out/empty.md"]}


def test_what_is_required_and_missing_is_named(look: Callable[..., Any]) -> None:
    with pytest.raises(RequiredMissing, match=r"`data\.json` is required and is not there"):
        look(requires=["out/a.md", "data.json"])


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("out/a.md", None),
        ("out/", None),
        ("out/*.md", "`out/empty.md` is empty"),
        ("none/**", "there is no such file"),
    ],
)
def test_what_is_delivered_exists_and_holds_something(
    look: Callable[..., Any], pattern: str, said: str | None
) -> None:
    assert [one["said"] for one in look(delivers=[pattern])["unmet"]] == ([said] if said else [])


def test_a_digest_follows_the_content_the_names_and_what_is_not_there(
    look: Callable[..., Any], tmp_path: Path
) -> None:
    found = [look(digest=["out/**", "later.txt"])["digest"]]
    for change in (
        lambda: (tmp_path / "out/a.md").write_text("b"),
        lambda: (tmp_path / "out/a.md").rename(tmp_path / "out/b.md"),
        lambda: (tmp_path / "later.txt").write_text("x"),
    ):
        change()
        found.append(look(digest=["out/**", "later.txt"])["digest"])
    assert len(set(found)) == 4
    assert look(digest=["out/**", "later.txt"])["digest"] == found[-1]


@pytest.mark.parametrize("pattern", ["../x", "out/../../x", "", "a\0b"])
def test_what_leads_out_of_the_folder_is_refused(look: Callable[..., Any], pattern: str) -> None:
    with pytest.raises(InputInvalid):
        look(requires=[pattern])


def test_an_absolute_path_may_lie_elsewhere(look: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path.parent / "elsewhere.txt"
    file.write_text("x")
    assert look(requires=[str(file)]) == {str(file): [str(file)]}


def test_files_are_named_from_the_folder_that_is_worked_on(look: Callable[..., Any]) -> None:
    assert look(requires=["a.md"], cwd="out") == {"a.md": ["a.md"]}
