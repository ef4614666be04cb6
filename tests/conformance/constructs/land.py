"""`land`: branches are merged and verified, alone and together; what conflicts or breaks is left out."""

from collections.abc import Mapping
from typing import Any

from tests.conformance.case import Case

from maestri.errors import ConflictLost, LandingRefused, ProofFailed, TargetBroken, TargetMoved, Timeout
from maestri.kernel.context import Context
from maestri.kernel.ports import Attempt, Task
from maestri.landing.land import land

YAML = """
it:
  land:
    branches: [api, ui, docs]
    into: release
    verify: make test
    max_concurrent: 1
    resolve: {run: mend, cwd: "${dir}"}
"""


def mend(ctx: Context, _conflict: Any, place: str) -> Any:
    return ctx.run("resolve", "mend", cwd=place)


mend.is_one_step = True  # type: ignore[attr-defined]


async def python(ctx: Context) -> Any:
    branches = ["api", "ui", "docs"]
    return await land(ctx, "it", branches, "release", verify="make test", max_concurrent=1, resolve=mend)


def branch(name: str) -> dict[str, Any]:
    return {"name": name, "tip": name, "base": "c0", "files": 1, "lines": 2, "needs": [], "workspace": ""}


def opened(*names: str) -> dict[str, Any]:
    known = {"repository": "/r", "prefix": "", "into": "release", "old": "c0", "start": "c0", "tree": "t0"}
    branches = {"branches": [branch(name) for name in names], "contained": [], "left_out": []}
    return {**known, **branches, "notes": [], "cores": 2}


def merged(task: Task, _attempt: Attempt) -> Any:
    return [one(link["name"]) for link in task.request["links"]]


def lines(task: Task, _attempt: Attempt) -> Any:
    """Merge `api` and `docs` without a conflict; `ui` conflicts with `api`."""
    found = []
    for line in task.request["lines"]:
        ended: list[dict[str, Any]] = []
        for link in line["links"]:
            name = link["name"]
            ended.append({"name": name, "conflict": CONFLICT} if name == "ui" else one(name, line["onto"]))
            if name == "ui" and line["stops"]:
                break
        found.append(ended)
    return found


def one(name: str, onto: str = "") -> dict[str, Any]:
    return {"name": name, "commit": f"{onto}+{name}", "tree": f"t{onto}+{name}"}


def verified(task: Task, _attempt: Attempt) -> Any:
    """Let `docs` fail alone."""
    return {"passed": task.request["of"] != "`docs` alone", "said": "1 failed", "took_s": 1.0}


def answers(**differing: Any) -> Mapping[str, Any]:
    return {f"/it/try/{path.replace('__', '#')}": said for path, said in differing.items()}


def fails(task: Task, _attempt: Attempt) -> Any:
    return {"passed": False, "said": "1 failed"}


def refused(_task: Task, _attempt: Attempt) -> Any:
    return LandingRefused("the branch `release` is checked out", fix="name another one")


def gone(_task: Task, _attempt: Attempt) -> Any:
    return ConflictLost("the worktree is gone", fix="start a new landing")


def hangs(_task: Task, _attempt: Attempt) -> Any:
    return Timeout("it took too long", fix="look why")


CONFLICT = {"files": ["a"], "count": 1, "kinds": ["contents"], "words": []}
SHOWN = {"dir": "/w", "branch": "ui", "files": [{"path": "a", "kind": "contents"}], "text": "both sides"}
FORECAST = {"conflicts": [{"branches": ["api", "ui"], "files": ["a"], "count": 1}], "symbols": []}
PROOF = {"proved": True, "hunks": 2, "present": 2, "listed": [], "lost": []}
ANSWERS = {
    "/it/try/open": opened("api", "ui", "docs"),
    "/it/try/merge": merged,
    "/it/try/forecast": FORECAST,
    "/it/try/line*": lines,
    "/it/try/verify*": verified,
    "/it/try/conflict/show": SHOWN,
    "/it/try/conflict/resolve": "mended",
    "/it/try/conflict/take": {"commit": "c2", "tree": "t2", "files": ["a"]},
    "/it/try/prove": PROOF,
    "/it/try/move": {"moved_to": ""},
    "/it/try/clean": None,
}


def about(name: str, *, passed: bool) -> dict[str, Any]:
    return {**branch(name), "alone": {"passed": passed, "took_s": 1.0}}


CASE = Case(
    keyword="land",
    yaml=YAML,
    python=python,
    answers=ANSWERS,
    output={
        "commit": "c2",
        "into": "release",
        "base": "c0",
        "landed": ["api", "ui"],
        "left_out": [{"branch": "docs", "kind": "verify", "reason": "it does not pass alone: 1 failed"}],
        "contained": [],
        "order": ["api", "ui", "docs"],
        "branches": {name: about(name, passed=name != "docs") for name in ("api", "ui", "docs")},
        "resolved": [{"branch": "ui", "files": ["a"], "with": ["api"], "commit": "c2"}],
        "forecast": FORECAST,
        "verified": {
            "command": "make test",
            "before": True,
            "after": True,
            "ran": 6,
            "known": 0,
            "took_s": 6.0,
        },
        "mode": "merge",
        "dry_run": False,
        "notes": [],
        "squashed": [],
        "proof": PROOF,
    },
    hole="before: BODY\nit: {land: {branches: [ui], into: release, resolve: BODY}}",
    hole_answers={
        "/it/try/open": opened("ui"),
        "/it/try/merge": [{"name": "ui", "conflict": CONFLICT}],
        **{path: said for path, said in ANSWERS.items() if path.count("/") > 3},
        "/it/try/forecast": {"conflicts": [], "symbols": []},
        "/it/try/line": [[one("ui")]],
        "/it/try/prove": PROOF,
        "/it/try/move": {"moved_to": ""},
        "/it/try/clean": None,
    },
    failures={
        "a target that is checked out": (answers(open=refused), LandingRefused.code),
        "a verification that fails on the target": (
            answers(verify=fails, **{"verify*": fails}),
            TargetBroken.code,
        ),
        "a verification that hangs leaves a branch out": (answers(verify__2=hangs), ""),
        "a resolver leaves a branch out": ({"/it/try/conflict/resolve": "leave out"}, ""),
        "a worktree that is gone": ({"/it/try/conflict/take": gone}, ConflictLost.code),
        "a proof": (answers(prove={"proved": False, "lost": [{"text": "`ui` a:1: lost"}]}), ProofFailed.code),
        "a target that moved": (answers(move={"moved_to": "c9"}), TargetMoved.code),
    },
    is_ordered=True,
)
