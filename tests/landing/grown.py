"""Repositories with many branches, made by one process, with what is wrong with them planted and known.

What is verified is a property of the tree: `rules` names branches that break together, one set a line, and a
file `marks/NAME` says that a branch is there. So it is known which sets of branches pass.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.landing.ground import Repository

CHECK = """
while read -r one two three; do
  test -e "marks/$one" && test -e "marks/$two" && test -e "marks/$three" && exit 1
done < rules
exit 0
"""
_LINES = 40


class Grown(NamedTuple):
    """A repository and what was planted: bad branches, sets that break together, pairs that conflict."""

    repository: Repository
    branches: list[str]
    bad: set[str]
    sets: list[frozenset[str]]
    conflicts: set[frozenset[str]]

    def passes(self, names: Sequence[str]) -> bool:
        """Tell whether some branches pass together."""
        return not any(one <= set(names) for one in [*self.sets, *(frozenset([name]) for name in self.bad)])


def grown(place: Path, random: Random, branches: int, files: int) -> Grown:
    """Make a repository: a tenth of the branches is bad, a tenth breaks in sets, a tenth conflicts."""
    names = [f"work/{number}" for number in range(branches)]
    wrong = random.sample(names, 3 * max(2, branches // 10))
    third = len(wrong) // 3
    bad, in_sets, in_conflict = set(wrong[:third]), wrong[third : 2 * third], wrong[2 * third :]
    sets = [frozenset(in_sets[at : at + 2 + at % 2]) for at in range(0, len(in_sets) - 1, 3)]
    sets = [one for one in sets if len(one) > 1]
    pairs = {frozenset(in_conflict[at : at + 2]) for at in range(0, len(in_conflict) - 1, 2)}
    stream = _Stream()
    rules = "".join(
        f"{' '.join(_three(sorted(one)))}\n" for one in [*sets, *([name] for name in sorted(bad))]
    )
    base = {f"src/d{n % 50}/f{n}": _text(n) for n in range(files)} | {"rules": rules, "check.sh": CHECK}
    stream.commit("main", base)
    mine = iter(random.sample(range(len(pairs), files), files - len(pairs)))
    for number, name in enumerate(names):
        what = {f"marks/{name}": f"{name}\n"}
        for at in [next(mine) for _ in range(min(3, (files - len(pairs)) // branches))]:
            what[f"src/d{at % 50}/f{at}"] = _text(at, random.randrange(_LINES), name)
        for at, pair in enumerate(sorted(pairs, key=sorted)):
            if name in pair:
                what[f"src/d{at % 50}/f{at}"] = _text(at, 7, name)
        stream.commit(name, what, number)
    repository = Repository(place)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=place, input=stream.bytes(), check=True)
    repository.git("reset", "-q", "--hard", "main")
    return Grown(repository, names, bad, sets, pairs)


def _three(names: Sequence[str]) -> list[str]:
    """Return the words of a rule: a set of fewer than three names its last one again."""
    return [*names, *[names[-1]] * (3 - len(names))]


def _text(number: int, line: int = -1, word: str = "") -> str:
    return "".join(f"{word if at == line else f'{number} line'} {at}\n" for at in range(_LINES))


class _Stream:
    """What `git fast-import` reads."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def commit(self, branch: str, files: dict[str, str], number: int = -1) -> None:
        head = f"commit refs/heads/{branch}\n" + ("mark :1\n" if number < 0 else "")
        head += f"committer Ada <ada@example.org> {1_700_000_000 + number} +0000\ndata 4\nwork\n"
        self._parts.append((head + ("from :1\n" if number >= 0 else "")).encode())
        for path, text in files.items():
            data = text.encode()
            self._parts.append(f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n")

    def bytes(self) -> bytes:
        return b"".join(self._parts) + b"done\n"
