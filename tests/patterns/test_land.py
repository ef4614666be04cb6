"""`land`, on real repositories: what is merged, what is left out, and what is never touched."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from maestri.agents.shell import ShellAgent
from maestri.errors import LandingRefused, TargetMoved
from maestri.kernel.ports import Answer, Attempt, Task
from maestri.landing.land import land
from maestri.testing.play import Stage


class Shell:
    """Performs each command with an agent of its own, which lives no longer than the loop of the play."""

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        """Run the command."""
        agent = ShellAgent()
        try:
            return await agent.perform(task, attempt._replace(cwd=str(Path.cwd())))
        finally:
            await agent.close()


def git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def branch(name: str, files: dict[str, str]) -> None:
    """Make a branch from `main` with one commit."""
    git("switch", "-q", "-c", name, "main")
    for file, text in files.items():
        Path(file).write_text(text, encoding="utf-8")
    git("add", ".")
    git("commit", "-q", "-m", name)
    git("switch", "-q", "main")


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with `main` and three branches, one of which conflicts with another one."""
    place = tmp_path / "repository"
    place.mkdir()
    monkeypatch.chdir(place)
    for name in ("TMPDIR", "GIT_CONFIG_GLOBAL"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    git("init", "-q", "-b", "main", ".")
    git("config", "user.name", "Ada")
    git("config", "user.email", "ada@example.org")
    Path("a").write_text("one\n", encoding="utf-8")
    git("add", ".")
    git("commit", "-q", "-m", "begin")
    branch("api", {"a": "api\n"})
    branch("ui", {"a": "ui\n"})
    branch("docs", {"docs": "words\n"})
    return place


def landing(*branches: str, into: str = "release", **options: Any) -> Stage:
    options = {"base": "main", **options}
    return Stage(lambda ctx: land(ctx, "l", list(branches), into, **options), agent=Shell())


def left_in(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if file.name.startswith("tmp.")]


def test_branches_are_merged_in_order_and_one_that_conflicts_is_left_out(tmp_path: Path) -> None:
    output = landing("api", "ui", "docs").play().output
    assert (output["landed"], [one["branch"] for one in output["left_out"]]) == (["api", "docs"], ["ui"])
    assert output["left_out"][0]["reason"] == "it conflicts with what is there: a"
    assert git("rev-parse", "release") == output["commit"]
    assert git("show", "release:a", "release:docs").split() == ["api", "words"]
    assert left_in(tmp_path) == []


def test_nothing_of_a_checkout_or_an_index_is_touched() -> None:
    Path("a").write_text("unsaved work\n", encoding="utf-8")
    Path("new").write_text("new\n", encoding="utf-8")
    git("add", "new")
    before = git("status", "--porcelain"), git("rev-parse", "HEAD"), git("diff", "--cached")
    landing("api", "docs").play()
    assert (git("status", "--porcelain"), git("rev-parse", "HEAD"), git("diff", "--cached")) == before
    assert git("worktree", "list").count("\n") == 0


def test_a_branch_that_does_not_pass_is_left_out_with_what_the_command_said() -> None:
    command = 'test ! -e docs || { echo "no words, please" >&2; exit 3; }'
    output = landing("api", "docs", verify=command).play().output
    assert output["landed"] == ["api"]
    assert output["left_out"] == [
        {"branch": "docs", "reason": f"`{command}` ended with exit code 3: no words, please"}
    ]


def test_what_a_check_leaves_behind_is_not_landed() -> None:
    landing("api", "docs", verify="echo rubbish >> a; echo more > rubbish").play()
    assert git("ls-tree", "--name-only", "release").split() == ["a", "docs"]
    assert git("show", "release:a") == "api"


def test_where_nothing_lands_the_target_stays_where_it_is() -> None:
    git("branch", "release", "main")
    output = landing("api", verify="false").play().output
    assert (output["landed"], output["commit"]) == ([], git("rev-parse", "main"))
    assert git("rev-parse", "release") == git("rev-parse", "main")


def test_hooks_of_the_repository_do_not_run(tmp_path: Path) -> None:
    for hook in ("post-checkout", "pre-merge-commit", "commit-msg", "reference-transaction", "post-merge"):
        file = Path(".git/hooks") / hook
        file.write_text(f"#!/bin/sh\necho {hook} >> {tmp_path}/hooked\nexit 1\n", encoding="utf-8")
        file.chmod(0o755)
    output = landing("api", "docs").play().output
    assert (output["landed"], (tmp_path / "hooked").exists()) == (["api", "docs"], False)


@pytest.mark.parametrize(
    ("branches", "options", "said"),
    [
        (["api"], {"into": "main"}, "is checked out"),
        (["api", "gone"], {}, "no branch or commit `gone`"),
        (["api"], {"base": "nowhere"}, "no branch or commit `nowhere`"),
        (["api"], {"base": None}, "no branch `release`"),
    ],
)
def test_what_cannot_be_landed_is_refused_and_leaves_nothing_behind(
    tmp_path: Path, branches: list[str], options: Any, said: str
) -> None:
    ended = landing(*branches, **options).play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == (LandingRefused.code, "/l")
    assert said in ended.failure.message
    assert left_in(tmp_path) == []


def test_outside_of_a_repository_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ended = landing("api").play()
    assert ended.failure and "no git repository" in ended.failure.message
    assert "not a git repository" in ended.failure.cause


def test_a_refusal_that_was_mended_goes_on_after_a_resume() -> None:
    stage = landing("api", into="release", base=None)
    stage.play()
    git("branch", "release", "main")
    assert stage.resume().output["landed"] == ["api"]


def test_a_target_that_moves_meanwhile_is_not_touched_and_a_resume_lands_on_it() -> None:
    git("branch", "release", "main")
    stage = landing("api", verify="git update-ref refs/heads/release refs/heads/docs")
    ended = stage.play()
    assert ended.failure and (ended.failure.code, git("rev-parse", "release")) == (
        TargetMoved.code,
        git("rev-parse", "docs"),
    )
    assert stage.resume().output["landed"] == ["api"]
    assert git("show", "release:a", "release:docs").split() == ["api", "words"]


def test_a_landing_that_is_cancelled_leaves_no_folder_behind_and_goes_on_after_a_resume(
    tmp_path: Path,
) -> None:
    class Stopping(Shell):
        async def perform(self, task: Task, attempt: Attempt) -> Answer:
            if attempt.path == "/l/try/verify#2" and stage.state.status == "running" and not stopped:
                stopped.append(True)
                await stage.execution.cancel()
            return await super().perform(task, attempt)

    stopped: list[bool] = []
    stage = Stage(
        lambda ctx: land(ctx, "l", ["api", "docs"], "release", base="main", verify="test -e a"),
        agent=Stopping(),
    )
    assert (stage.play().status, left_in(tmp_path)) == ("cancelled", [])
    assert git("worktree", "list").count("\n") == 0
    assert stage.resume().output["landed"] == ["api", "docs"]
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("branches", [[], ["api", "api"], ["release"], [3], "api"])
def test_a_list_that_is_none_is_refused_at_its_path(branches: Any) -> None:
    stage = Stage(lambda ctx: land(ctx, "l", branches, "release"), agent=Shell())
    ended = stage.play()
    assert ended.failure and (ended.failure.code, ended.failure.path) == ("S108", "/l")


def test_it_goes_on_wherever_it_was_cut_off_and_comes_to_the_same() -> None:
    stage = landing("api", "docs", verify="test -e a")
    output = stage.play().output
    for events in range(2, len(stage.events), 4):
        cut = stage.cut(events)
        if "/l/try/move" not in cut.paths("step.succeeded"):
            git("update-ref", "-d", "refs/heads/release")
        again = cut.resume()
        assert (again.output["landed"], again.output["left_out"]) == (output["landed"], output["left_out"])
        assert git("show", "release:a", "release:docs").split() == ["api", "words"]
