"""Real repositories to land branches in, and a stage that plays a landing with real git and real commands."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from maestri.agents.shell import ShellAgent
from maestri.engines.memory import MemoryEngine
from maestri.kernel.clock import SystemClock
from maestri.kernel.ports import Answer, Attempt, Held, Task
from maestri.landing.agent import LandingAgent
from maestri.landing.land import land
from maestri.testing.play import Stage
from maestri.workspaces.worktrees import Worktrees

_PLAIN = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "PATH": "/usr/bin:/bin",
    "LC_ALL": "C",
}
_AUTHOR = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]


class Repository:
    """A git repository on disk, changed as a user would."""

    def __init__(self, place: Path, files: Mapping[str, str] | None = None) -> None:
        """Make one on `main`, with one commit that holds `files`."""
        self.place = place
        place.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main", ".")
        if files is not None:
            self.commit(files, "begin")

    def git(self, *words: str, check: bool = True) -> str:
        """Run git there and return what it says."""
        done = subprocess.run(
            ["git", *_AUTHOR, *words], cwd=self.place, env=_PLAIN, capture_output=True, text=True, check=False
        )
        assert not (check and done.returncode), done.stderr
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str | None], message: str = "change") -> str:
        """Write files, or delete those that are None, and commit all of them."""
        for name, text in files.items():
            path = self.place / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str, files: Mapping[str, str | None], start: str = "main") -> str:
        """Make a branch with one commit, and go back to where HEAD was."""
        before = self.git("symbolic-ref", "-q", "HEAD", check=False) or self.git("rev-parse", "HEAD")
        self.git("switch", "-q", "-c", name, start)
        tip = self.commit(files, f"work of {name}")
        self.git(
            "switch", "-q", *(["--detach"] if "/" not in before else []), before.removeprefix("refs/heads/")
        )
        return tip

    def show(self, what: str) -> str:
        """Return a file of a commit: `release:a`."""
        return self.git("show", what)

    def state(self) -> tuple[str, ...]:
        """Return what no landing may change: HEAD, index, files, stashes, worktrees, configuration, hooks."""
        asked = ("rev-parse HEAD", "diff", "diff --cached", "stash list -p", "worktree list")
        said = [self.git(*words.split()) for words in asked]
        inside = [self.place / ".git" / name for name in ("index", "HEAD", "config")]
        files = [path for path in self.place.rglob("*") if ".git" not in path.parts and path.is_file()]
        kept = [f"{path} {path.stat().st_mtime_ns} {path.read_bytes()!r}" for path in sorted(files)]
        return (*said, *(repr(path.read_bytes()) for path in inside), *kept)


class Seen:
    """Remembers which trees have passed, as long as the test takes."""

    def __init__(self) -> None:
        """Begin with none."""
        self.keys: set[str] = set()

    def find(self, key: str) -> bool:
        """Tell whether a tree has passed."""
        return key in self.keys

    def keep(self, key: str, asked: str, run: str, path: str) -> None:
        """Say that it has."""
        self.keys.add(key)


class Crew:
    """Performs tasks of landings and commands for real; `asked` are the tasks of landings, in order."""

    def __init__(self, root: Path, cwd: Path) -> None:
        """Work below `root`, for runs in `cwd`."""
        self._cwd = cwd
        self.seen = Seen()
        self.asked: list[Task] = []
        runs = root / "runs"
        self.worktrees = Worktrees(runs, lambda run: _made(runs / run / "workspaces"))
        self.agent = LandingAgent(
            lambda run: _made(runs / run / "landing"), runs, self, self.worktrees, self.seen
        )

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        """Perform a task; the agent of commands lives as long, since each play has its own loop."""
        here = attempt._replace(cwd=str(self._cwd))
        if task.agent == "landing":
            self.asked.append(task)
            return await self.agent.perform(task, here)
        shell = ShellAgent()
        try:
            return await shell.perform(task, here)
        finally:
            await shell.close()

    async def close(self) -> None:
        """Do nothing."""

    def verified(self) -> list[str]:
        """Return what was verified, in words, in order."""
        return [task.request["of"] for task in self.asked if task.request["verb"] == "verify"]


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def landing(
    repository: Repository, branches: Sequence[str] | None, into: str | None = "release", **options: Any
) -> tuple[Stage, Crew]:
    """Return a landing that can be played, and who performs it; `release` begins at `main`."""
    crew = Crew(repository.place.parent / "state", repository.place)
    given = {"base": "main", **options} if into else options
    names = None if branches is None else list(branches)
    # Processes take real time, so the clock is real, too.
    stage = Stage(
        lambda ctx: land(ctx, "l", names, into, **given),
        agent=crew,
        engine=MemoryEngine(),
        clock=SystemClock(),
    )
    return stage, crew


def landed(repository: Repository, branches: Sequence[str], **options: Any) -> Any:
    """Land branches on `release` and return the output."""
    stage, _ = landing(repository, branches, **options)
    ended = stage.play()
    assert ended.failure is None, ended.failure
    return ended.output


def held_of(crew: Crew) -> Sequence[Held]:
    """Return the workspaces of the run of a stage."""
    return crew.worktrees.held("run-1")
