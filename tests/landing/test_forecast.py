"""The forecast, against what merging every pair really comes to."""

from itertools import combinations
from pathlib import Path
from random import Random

from tests.landing.ground import Repository, landing

from maestri.landing.forecast import candidates, forecast
from maestri.workspaces.git import Git
from maestri.workspaces.reading import ABSENT_MODE, Change


def touched(path: str, old: str = "100644", new: str = "100644") -> Change:
    return Change("M", path, old, new, "1", "2", path)


def test_only_branches_that_could_meet_are_merged() -> None:
    changes = {
        "edits": [touched("src/a")],
        "edits too": [touched("src/a"), touched("b")],
        "elsewhere": [touched("src/b")],
        "file": [touched("b/c", old=ABSENT_MODE)],
        "takes away": [touched("src/z", new=ABSENT_MODE)],
        "adds": [touched("src/new", old=ABSENT_MODE)],
        "adds elsewhere": [touched("lib/new", old=ABSENT_MODE)],
    }
    assert candidates(changes) == [("edits", "edits too"), ("edits too", "file"), ("takes away", "adds")]


def test_every_pair_that_conflicts_is_foretold_and_no_other(tmp_path: Path) -> None:
    repository, random = (
        Repository(tmp_path / "r", {f"d/f{n}": "1\n2\n3\n4\n5\n6\n" for n in range(4)}),
        Random(3),
    )
    tips = {}
    for name in map("b{}".format, range(9)):
        what: dict[str, str | None] = {f"d/f{random.randrange(4)}": f"1\n2\n{name}\n4\n5\n6\n"}
        if random.random() < 0.3:
            what[f"d/f{random.randrange(4)}"] = None
        if random.random() < 0.3:
            what["d/f1/x" if random.random() < 0.2 else f"d/{name}"] = "x\n"
        if "d/f1/x" in what:
            what["d/f1"] = None
            what = dict(sorted(what.items(), key=lambda item: item[1] is not None))
        tips[name] = repository.branch(name, what)
    git = Git(repository.place)
    told = {tuple(one["branches"]) for one in forecast(git, git.head(), tips, 2)["conflicts"]}
    real = {
        (one, other)
        for one, other in combinations(tips, 2)
        if not git.merge_tree(tips[one], tips[other]).is_clean
    }
    assert (told, len(real) > 3) == (real, True)


def test_two_branches_that_merge_and_yet_break_each_other_are_foretold(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "r", {"shop.py": "def area(x):\n    return x\n"})
    repository.branch("renames", {"shop.py": "def surface(x):\n    return x\n"})
    repository.branch("calls", {"use.py": "from shop import area\n\nprint(area(3))\n"})
    output = (
        landing(repository, ["renames", "calls"], verify="python3 use.py || test ! -e use.py")[0]
        .play()
        .output
    )
    met = output["forecast"]["symbols"][0]
    assert (met["symbol"], met["one"], met["other"], met["is_break"]) == ("area", "renames", "calls", True)
    assert (output["landed"], output["left_out"][0]["kind"]) == (["renames"], "combination")
