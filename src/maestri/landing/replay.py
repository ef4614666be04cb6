"""The branches merged once more, as git merges them: what a place looks like where nobody had to decide.

Texts of much the same lines can be compared in several ways, and an edit may then seem to be missing where
git, which compared another way, has merged it without a question. Where the result is what git's own merges
come to, byte for byte, every edit was applied. Where a merge needs a decision, this tells nothing.
"""

from __future__ import annotations

from maestri.landing.trees import Trees
from maestri.workspaces.git import Git
from maestri.workspaces.reading import Entry


class Replay:
    """The merges of all branches, made when first asked for."""

    def __init__(self, git: Git, trees: Trees) -> None:
        """Begin; nothing is merged yet."""
        self._git, self._trees = git, trees
        self._clean: dict[str, Entry] | None = None

    def reproduces(self, path: str) -> bool:
        """Tell whether a file of the result is what git's merges make of it."""
        if self._clean is None:
            self._clean = self._merged()
        entry = self._trees.result.get(path)
        again = self._clean.get(path)
        return entry is not None and again is not None and entry[1:4] == again[1:4]

    def _merged(self) -> dict[str, Entry]:
        onto, unclear = self._trees.base, set[str]()
        for work in self._trees.works.values():
            merged = self._git.merge_tree(onto, work.tip)
            unclear |= set(merged.paths)
            onto = self._git.commit_tree(merged.tree, (onto, work.tip), "merged again")
        return {entry.path: entry for entry in self._git.ls_tree(onto) if entry.path not in unclear}
