"""Real git repositories for tests, made with the user's own git and none of the user's settings."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from maestri.engines.statedir import StateDir
from maestri.workspaces.worktrees import Worktrees

ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in
       (("NAME", "Ann"), ("EMAIL", "ann@example.org"), ("DATE", "@1700000000 +0000"))},
}  # fmt: skip


class Repo:
    """A repository with a branch `main`, and the files of one commit."""

    def __init__(self, path: Path, files: Mapping[str, str] | None = None, form: str = "sha1") -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main", f"--object-format={form}")
        self.write(files or {"src/a.py": "a = 1\n", "src/b.py": "b = 1\n", "docs/x.md": "x\n"})
        self.commit("first")

    def git(self, *words: str, ok: bool = True, env: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            ["git", *words],
            cwd=self.path,
            env=ENV | dict(env or {}),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0 or not ok, done.stderr
        return done.stdout.strip()

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(text)

    def commit(self, message: str, files: Mapping[str, str] | None = None) -> str:
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={message}")
        return self.git("rev-parse", "HEAD")

    def on(self, branch: str, files: Mapping[str, str], start: str = "main") -> str:
        """Commit some files to a new branch, and come back."""
        self.git("switch", "--quiet", "--create", branch, start)
        made = self.commit(branch, files)
        self.git("switch", "--quiet", "main")
        return made


def worktrees(root: Path) -> Worktrees:
    """Return workspaces with a state directory of their own."""
    state = StateDir(root / "state", {})
    state.prepare()
    return Worktrees(state.root / "runs", state.workspaces)


def content_of(folder: Path) -> dict[str, str]:
    """Return a mark of every file of a folder, with its permissions and its date."""
    found = {}
    for file in sorted(folder.rglob("*")):
        about = file.lstat()
        content = str(file.readlink()).encode() if file.is_symlink() else b""
        if file.is_file() and not file.is_symlink():
            content = file.read_bytes()
        mark = sha256(content).hexdigest()
        found[str(file.relative_to(folder))] = f"{about.st_mode} {about.st_mtime_ns} {mark}"
    return found
