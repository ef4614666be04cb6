"""Random merges by git are proved, and a change that is left out of one is found: by mutation, many at once.

Each file of a repository is a case of its own. A mutant is what git makes of the same branches, if one of
them had not made one of its changes, or only a part of that; the proof is told of the whole branches.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from tests.landing.ground import Repository

from maestri.landing.proof import Proof, prove
from maestri.workspaces.git import Git
from sources import ROOT

CASES, BRANCHES = 200, ("one", "two", "three")
POOL = sorted((ROOT / "src" / "maestri").glob("*/*.py"))


class Case(NamedTuple):
    """A file, what each branch makes of it, and what one of them makes of it without one of its changes."""

    base: list[str]
    tips: list[list[str]]
    who: int
    weaker: list[str]


def changed(random: Random, base: list[str], name: str) -> list[str]:
    """Change some lines; what is added is often there already."""
    tip = list(base)
    for _ in range(random.choice([0, 1, 1, 2, 3])):
        at, more = random.randrange(len(tip) + 1), [f"new {name} {random.randrange(9)}\n", *base]
        gone = random.choice([0, 0, 1, 2, 3])
        tip[at : at + gone] = random.choices(more, k=random.randrange(0 if gone else 1, 4))
    return tip


def weakened(random: Random, base: list[str], tip: list[str]) -> list[str]:
    """Return what a branch has made of a file, without one of its changes, or without a line of that."""
    found = [
        one for one in SequenceMatcher(None, base, tip, autojunk=False).get_opcodes() if one[0] != "equal"
    ]
    if not found:
        return tip
    _, start, end, first, last = random.choice(found)
    if random.random() < 0.5 or last - first < 2:
        return [*tip[:first], *base[start:end], *tip[last:]]
    gone = random.randrange(first, last)
    return [*tip[:gone], *tip[gone + 1 :]]


def case(random: Random) -> Case:
    """Make up a case, from a file of our own or from very few different lines."""
    base = (
        random.choice(POOL).read_text(encoding="utf-8").splitlines(keepends=True)[: random.choice([30, 200])]
    )
    if random.random() < 0.3:
        base = random.choices(["}\n", "\n", "x\n", "y\n", "z\n"], k=random.randrange(4, 30))
    tips = [changed(random, base or ["x\n"], name) for name in BRANCHES]
    who = random.randrange(len(tips))
    return Case(base, tips, who, weakened(random, base, tips[who]))


def store(repository: Repository, branch: str, files: Sequence[list[str]], start: str = "") -> None:
    """Commit files `0` to `n` to a branch at once."""
    words = f"commit refs/heads/{branch}\ncommitter a <a@b> 1 +0000\ndata 1\nx\n"
    words += f"from refs/heads/{start}^0\n" if start else ""
    for number, lines in enumerate(files):
        text = "".join(lines)
        words += f"M 100644 inline {number}\ndata {len(text.encode())}\n{text}\n"
    command = ["git", "fast-import", "--quiet", "--force"]
    subprocess.run(command, cwd=repository.place, input=words.encode(), check=True)


def merged(git: Git, names: Sequence[str]) -> tuple[str, dict[str, str], set[str]]:
    """Merge branches as git does; return the commit, its files that did not conflict, and those that did."""
    onto, unclear = git.resolve("main"), set[str]()
    for name in names:
        tip = git.resolve(name)
        found = git.merge_tree(onto, tip)
        unclear |= set(found.paths)
        onto = git.commit_tree(found.tree, (onto, tip), "merge")
    return onto, {one.path: one.object for one in git.ls_tree(onto) if one.path not in unclear}, unclear


def complaints(found: Proof) -> Mapping[str, set[str]]:
    """Return the branches of which something is not simply there, by file."""
    named: dict[str, set[str]] = {}
    for one in found.findings:
        if one.reason.verdict != "present":
            named.setdefault(one.path, set()).add(one.branch)
    return named


@pytest.mark.parametrize("seed", [1, 2])
def test_git_s_merges_are_proved_and_what_is_left_out_of_them_is_found(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    cases = [case(random) for _ in range(CASES)]
    repository = Repository(tmp_path)
    store(repository, "main", [one.base for one in cases])
    for number, name in enumerate(BRANCHES):
        store(repository, name, [one.tips[number] for one in cases], "main")
        weaker = [one.weaker if one.who == number else one.tips[number] for one in cases]
        store(repository, f"weak-{name}", weaker, "main")
    git = Git(tmp_path)
    branches = {name: git.resolve(name) for name in BRANCHES}
    whole, clean, _ = merged(git, BRANCHES)
    named = complaints(prove(git, whole, git.resolve("main"), branches))
    assert len(clean) > CASES / 2
    assert not set(named) & set(clean)

    mutant, others, _ = merged(git, [f"weak-{name}" for name in BRANCHES])
    planted = {path for path in set(clean) & set(others) if clean[path] != others[path]}
    named = complaints(prove(git, mutant, git.resolve("main"), branches))
    assert len(planted) > CASES / 4
    # What is found again elsewhere in the same file, line for line, passes as moved: see `presence`.
    missed = planted - set(named)
    assert len(missed) <= len(planted) / 50, sorted(missed)
