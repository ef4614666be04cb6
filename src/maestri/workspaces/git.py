"""Git, as functions: every command is plumbing with one meaning, and runs no code of anybody else.

Reading order: `Git` and what it knows of a repository · objects and histories · trees and files ·
branches and worktrees.

Rule 1: every command goes through `running`, with repository, work tree and index named: the directory
that Maestri was started in does not matter.
Rule 2: a name that comes from outside is turned into a hash first (`resolve`); only hashes go further.
Rule 3: all of it blocks: whoever has an event loop calls it in a thread, with a `check` that stops it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from maestri.errors import (
    BareRepository,
    BranchMoved,
    NoCommits,
    NotARepository,
    RevisionMissing,
    UnrelatedHistories,
)
from maestri.records import NamedTuple
from maestri.workspaces import reading, repository
from maestri.workspaces.reading import Change, Commit, Entry, FileDiff, Merged, Worktree
from maestri.workspaces.running import Check, Runner

NOWHERE: Final = ""  # as an old value: the ref must not exist
_CONFLICTS: Final = 1  # what `merge-tree` ends with when it could not decide everything
_FORMAT: Final = "--format=%H%x00%P%x00%an <%ae>%x00%ct%x00%s%x00"


class Author(NamedTuple):
    """Who a commit says to be from."""

    name: str = "Maestri"
    email: str = "maestri@localhost"


def _never() -> None:
    """Go on."""


class Git:
    """A git repository, by any directory in it.

    `root` is the top of its checked-out files, None where it is bare; `git_dir` is that of this worktree,
    `common_dir` that of the repository.
    """

    def __init__(self, directory: str | Path, *, timeout_s: float = 600.0, check: Check = _never) -> None:
        """Find the repository that a directory is in; nothing is run for that.

        Args:
            directory: A directory in it, or a bare repository.
            timeout_s: How long one command of git may take.
            check: Called about ten times a second while git works; what it raises stops git.

        Raises:
            NotARepository: It is in none.
            GitMissing: There is no git.
        """
        found = repository.find(Path(directory))
        self.root, self.git_dir, self.common_dir = found
        self.runner = Runner(found, timeout_s, check)

    # --- what is known of the repository -----------------------------------------------------------

    @property
    def config(self) -> Mapping[str, str]:
        """The repository's own configuration, with lower-case keys; the last value of each counts."""
        return self.runner.config

    @property
    def is_bare(self) -> bool:
        """Tell whether no files are checked out."""
        return self.root is None

    @property
    def is_shallow(self) -> bool:
        """Tell whether its history was cut off."""
        return (self.common_dir / "shallow").is_file()

    @property
    def is_detached(self) -> bool:
        """Tell whether HEAD names a commit, and no branch."""
        return not self.head_branch()

    def head_branch(self) -> str:
        """Return the full ref that HEAD names, also of a branch without commits; empty where detached."""
        return self.runner.own("symbolic-ref", "--quiet", "HEAD", ok=(0, 1)).output.decode().strip()

    def work_root(self) -> Path:
        """Return the top of the checked-out files.

        Raises:
            BareRepository: There are none.
        """
        if self.root is None:
            message = f"`{self.git_dir}` is a bare repository: it has no files checked out"
            raise BareRepository(message, fix="run this in a clone of it that has files")
        return self.root

    def head(self) -> str:
        """Return the commit of HEAD.

        Raises:
            NoCommits: There is none yet.
        """
        said = self.runner.own("rev-parse", "--verify", "--quiet", "HEAD^{commit}", ok=(0, 1, 128))
        if said.code == 0:
            return said.output.decode().strip()
        message = f"the repository `{self.root or self.git_dir}` has no commit yet"
        raise NoCommits(message, fix="make a first commit: git add -A && git commit -m first")

    def marks(self) -> dict[str, str]:
        """Return marks of what could make git run something, by name: configuration, hooks, `info/`."""
        return repository.marks(self.git_dir, self.common_dir, self.runner.entries)

    # --- objects and histories ---------------------------------------------------------------------

    def resolve(self, revision: str) -> str:
        """Return the commit that a branch, a tag or any other revision names.

        Raises:
            RevisionMissing: There is none.
            NoCommits: There are none at all.
        """
        if not revision.isprintable() or not revision:
            raise RevisionMissing(f"`{revision!r}` is no name of a commit", fix="give the name of a branch")
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        said = self.runner.own(*asked, ok=(0, 1, 128))
        if said.code == 0:
            return said.output.decode().strip()
        self.head()
        near = ", ".join(f"`{name}`" for name in list(self.branches())[:5])
        message = f"there is no branch or commit `{revision}` in `{self.root or self.git_dir}`"
        raise RevisionMissing(
            message, cause=f"its branches are: {near}", fix="look at the name: git branch --all"
        )

    def tree_of(self, commit: str) -> str:
        """Return the tree of a commit."""
        return self.runner.content("rev-parse", "--verify", f"{commit}^{{tree}}").decode().strip()

    def merge_base(self, one: str, other: str) -> str:
        """Return the best common ancestor of two commits.

        Raises:
            UnrelatedHistories: There is none.
        """
        said = self.runner.view("merge-base", one, other, ok=(0, 1))
        if said.code == 0:
            return said.output.decode().split()[0]
        message = f"`{one[:12]}` and `{other[:12]}` have no common ancestor"
        raise UnrelatedHistories(message, fix="they come from different repositories")

    def is_ancestor(self, ancestor: str, commit: str) -> bool:
        """Tell whether a commit is another one, or in its history."""
        return self.runner.view("merge-base", "--is-ancestor", ancestor, commit, ok=(0, 1)).code == 0

    def independent(self, commits: Sequence[str]) -> list[str]:
        """Return those of some commits that are in the history of no other, in their order."""
        wanted = list(dict.fromkeys(commits))
        if len(wanted) < 2:
            return wanted
        heads = self.runner.content("merge-base", "--independent", *wanted).decode().split()
        return [commit for commit in wanted if commit in heads]

    def made_at(self, commit: str) -> int:
        """Return when a commit was made, in seconds since 1970."""
        asked = ("rev-list", "--no-commit-header", "--format=%ct", "--max-count=1", commit)
        return int(self.runner.content(*asked))

    def message(self, commit: str) -> str:
        """Return what a commit says, all of it."""
        text = self.runner.content("cat-file", "commit", commit)
        return text.partition(b"\n\n")[2].decode(errors="replace")

    def commits(self, base: str, tip: str, limit: int = 10_000) -> list[Commit]:
        """Return the commits that `tip` has and `base` has not, newest first."""
        asked = ("rev-list", "--no-commit-header", _FORMAT, f"--max-count={limit}", tip, f"^{base}", "--")
        return reading.commits(self.runner.content(*asked))

    def cat(self, name: str) -> bytes:
        """Return the content of a blob."""
        return self.runner.content("cat-file", "blob", name)

    def cat_many(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return the contents of blobs by name, with one process."""
        wanted = list(dict.fromkeys(names))
        if not wanted:
            return {}
        output = self.runner.content("cat-file", "--batch", stdin="".join(f"{n}\n" for n in wanted).encode())
        found, at = dict[str, bytes](), 0
        for name in wanted:
            end = output.index(b"\n", at)
            size = output[at:end].decode().rpartition(" ")[2]
            if not size.isdigit():
                message = f"the object `{name}` is missing from the repository"
                raise NotARepository(message, fix="run `git fsck`; fetch again what is missing")
            found[name] = output[end + 1 : end + 1 + int(size)]
            at = end + 2 + int(size)
        return found

    def merge_tree(self, ours: str, theirs: str, base: str | None = None) -> Merged:
        """Merge two commits without touching a file.

        Args:
            ours: A commit.
            theirs: Another one.
            base: The commit to merge over, instead of their common ancestor: that is a cherry-pick.

        Raises:
            UnrelatedHistories: They have no common ancestor, and no base is given.
        """
        if base is not None:
            root = self.commit_tree(self.tree_of(base), (), "base")
            ours = self.commit_tree(self.tree_of(ours), (root,), "ours")
            theirs = self.commit_tree(self.tree_of(theirs), (root,), "theirs")
        asked = ("merge-tree", "--write-tree", "-z", "--messages", ours, theirs)
        return reading.merged(self.runner.view(*asked, ok=(0, _CONFLICTS)).output)

    def commit_tree(
        self,
        tree: str,
        parents: Sequence[str],
        message: str,
        *,
        author: Author | None = None,
        committer: Author | None = None,
        at: float = 0.0,
    ) -> str:
        """Make a commit, which no branch names yet.

        Args:
            tree: Its tree.
            parents: Its parents, the first one first.
            message: What it says.
            author: Who did the work; Maestri where it is None.
            committer: Who made the commit; the author where it is None.
            at: When, in seconds since 1970. The same arguments give the same commit.
        """
        by = author or Author()
        made = committer or by
        who = {
            "GIT_AUTHOR_NAME": by.name,
            "GIT_AUTHOR_EMAIL": by.email,
            "GIT_AUTHOR_DATE": f"@{int(at)} +0000",
            "GIT_COMMITTER_NAME": made.name,
            "GIT_COMMITTER_EMAIL": made.email,
            "GIT_COMMITTER_DATE": f"@{int(at)} +0000",
        }
        words = [word for parent in parents for word in ("-p", parent)]
        said = self.runner.view("commit-tree", tree, *words, stdin=message.encode(), more=who)
        return said.output.decode().strip()

    # --- trees and files ---------------------------------------------------------------------------

    def diff_raw(self, one: str, other: str, *, renames: bool = False) -> list[Change]:
        """Return the paths in which two commits or trees differ."""
        return reading.changes(
            self.runner.content("diff-tree", "-r", "--raw", "-z", *_abbrev(renames), one, other)
        )

    def diff_hunks(self, one: str, other: str, *, renames: bool = False, context: int = 0) -> list[FileDiff]:
        """Return how two commits or trees differ, line by line."""
        known = self.diff_raw(one, other, renames=renames)
        words = ("-p", f"-U{context}", "--no-ext-diff", "--no-textconv", "--no-color", "--submodule=short")
        how = ("--diff-algorithm=myers", "--src-prefix=a/", "--dst-prefix=b/")
        patch = self.runner.content("diff-tree", "-r", *words, *how, *_abbrev(renames), one, other)
        return reading.file_diffs(known, patch)

    def ls_tree(self, revision: str, *, recursive: bool = True) -> list[Entry]:
        """Return the entries of a commit or tree."""
        words = ("-r",) if recursive else ()
        return reading.entries(
            self.runner.content("ls-tree", "-z", "--long", "--full-tree", *words, revision)
        )

    def check_out(self, commit: str, work_tree: Path, index: Path) -> None:
        """Make an empty directory hold the files of a commit, and an index file tell of them."""
        self.runner.view("read-tree", "--reset", "-u", commit, work_tree=work_tree, index=index)

    def stage(self, work_tree: Path, index: Path, excludes: Path) -> str:
        """Take the files of a directory into an index file; return their tree.

        Args:
            work_tree: The directory.
            index: The index file of what was checked out there; it is changed.
            excludes: A file of patterns of untracked files that are left out.

        Raises:
            WorkspaceFailed: A file cannot be read, or has a name that git takes from nobody.
        """
        option = {"core.excludesFile": str(excludes)}
        self.runner.view("add", "--all", "--", ".", work_tree=work_tree, index=index, settings=option)
        return self.runner.view("write-tree", index=index).output.decode().strip()

    def take_back(self, index: Path, entries: Sequence[Entry | str]) -> str:
        """Put other entries into an index file, a path alone takes it out; return the tree of the index."""
        lines = [
            f"0 {self._zero}\t{one}" if isinstance(one, str) else f"{one.mode} {one.object}\t{one.path}"
            for one in entries
        ]
        given = b"".join(os.fsencode(line) + b"\0" for line in lines)
        self.runner.view("update-index", "-z", "--index-info", stdin=given, index=index)
        return self.runner.view("write-tree", index=index).output.decode().strip()

    # --- branches and worktrees --------------------------------------------------------------------

    def branches(self) -> dict[str, str]:
        """Return the commits of the local branches by short name."""
        return {ref.removeprefix("refs/heads/"): at for ref, at in self.refs("refs/heads/").items()}

    def refs(self, *prefixes: str) -> dict[str, str]:
        """Return the commits of the refs that are, or are below, some names (`refs/heads/`) by full name."""
        said = self.runner.own("for-each-ref", "--format=%(refname) %(objectname)", *prefixes).output
        return dict(line.rsplit(" ", 1) for line in os.fsdecode(said).splitlines())

    def ref(self, name: str) -> str:
        """Return the commit of a full ref, or an empty text."""
        return self.refs(name).get(name, "")

    def update_ref(self, ref: str, new: str, old: str | None = None, *, reason: str = "maestri") -> None:
        """Have a ref name another commit, if it still names what it did: by compare-and-swap.

        Args:
            ref: Its full name, `refs/heads/…`.
            new: The new commit; `NOWHERE` deletes the ref.
            old: What it names now; `NOWHERE` if it must not exist; None whatever it names.
            reason: What its reflog says.

        Raises:
            BranchMoved: It names another commit; it was not touched.
        """
        self.update_refs({ref: (new, self.ref(ref) if old is None else old)}, reason=reason)

    def update_refs(self, moves: Mapping[str, tuple[str, str]], *, reason: str = "maestri") -> None:
        """Have refs name other commits, all of them or none.

        Args:
            moves: For each full name the new and the old commit; `NOWHERE` where there is, or was, none.
            reason: What their reflogs say.

        Raises:
            BranchMoved: One names another commit than the old one; none was touched.
        """
        lines = "".join(self._move(ref, new, old) for ref, (new, old) in moves.items())
        who = {"GIT_COMMITTER_NAME": Author().name, "GIT_COMMITTER_EMAIL": Author().email}
        words = ("update-ref", "-m", reason, "--stdin", "-z")
        said = self.runner.own(*words, ok=(0, 1, 128), more=who, stdin=lines.encode())
        if said.code == 0:
            return
        now = self.refs(*moves)
        for ref, (_, old) in moves.items():
            at = now.get(ref, "")
            if at != old:
                message = f"`{ref}` is at {at[:12] or 'no commit'}, not at {old[:12] or 'no commit'}"
                fix = "look at what has moved it, then try again: nothing was changed"
                raise BranchMoved(message, fix=fix)
        raise self.runner.refusal("update-ref", said)

    @property
    def _zero(self) -> str:
        """What stands for no object."""
        return "0" * (64 if self.runner.object_format == "sha256" else 40)

    def _move(self, ref: str, new: str, old: str) -> str:
        if new == old:
            return f"verify {ref}\0{old or self._zero}\0"
        return f"update {ref}\0{new}\0{old or self._zero}\0" if new else f"delete {ref}\0{old}\0"

    def worktree_add(self, path: Path, commit: str, branch: str = "") -> None:
        """Register a worktree without its files, on a new branch (short name) or on no branch.

        Who adds and removes worktrees of one repository at once must take turns.

        Raises:
            WorkspaceFailed: Git refuses: the path is taken, or the branch exists.
        """
        place = ("-b", branch) if branch else ("--detach",)
        self.runner.own("worktree", "add", "--quiet", "--no-checkout", *place, str(path), commit)

    def worktree_remove(self, path: Path) -> None:
        """Remove a worktree with everything in it; its files may be gone already."""
        self.runner.own("worktree", "remove", "--force", "--force", str(path))

    def worktrees(self) -> list[Worktree]:
        """Return the worktrees, the repository's own first."""
        return reading.worktrees(self.runner.own("worktree", "list", "--porcelain", "-z").output)


def _abbrev(renames: bool) -> tuple[str, ...]:
    return ("--no-abbrev", "--full-index", "-M50%" if renames else "--no-renames")
