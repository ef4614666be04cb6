"""`supervise`: a supervisor delegates, round after round, until it is done."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import DelegationInvalid, ExitFailed, SupervisionUnfinished
from maestri.kernel.context import Context
from maestri.patterns import supervise

YAML = """
it:
  supervise:
    max_rounds: 3
    supervisor: {run: decide, env: {ROUND: "${round}", LEFT: "${state.left.rounds}"}, output: json}
    workers:
      coder:
        steps:
          write: {run: write, env: {TASK: "${task}"}}
          check: {run: check, env: {CODE: "${write}"}}
      tester: {run: test, env: {TASK: "${task}"}}
"""


def supervisor(ctx: Context, state: Any, number: int, _workers: list[str]) -> Any:
    env = {"ROUND": str(number), "LEFT": str(state["left"]["rounds"])}
    return ctx.run("supervisor", "decide", env=env, output="json")


supervisor.is_one_step = True  # type: ignore[attr-defined]


async def coder(ctx: Context, task: Any) -> Any:
    code = await ctx.run("write", "write", env={"TASK": task})
    return await ctx.run("check", "check", env={"CODE": code})


def tester(ctx: Context, task: Any) -> Any:
    return ctx.run("tester", "test", env={"TASK": task})


tester.is_one_step = True  # type: ignore[attr-defined]


async def python(ctx: Context) -> Any:
    return await supervise(ctx, "it", supervisor, {"coder": coder, "tester": tester}, max_rounds=3)


def delegated(*tasks: tuple[str, str]) -> dict[str, Any]:
    return {"delegate": [{"worker": worker, "task": task} for worker, task in tasks]}


BROKEN = ExitFailed("it ended with exit code 1", fix="mend it")
UNKNOWN = delegated(("painter", "paint it"))
CASE = Case(
    keyword="supervise",
    yaml=YAML,
    python=python,
    answers={
        "/it/round/supervisor": delegated(("coder", "a"), ("coder", "b"), ("tester", "c")),
        "/it/round#2/supervisor": delegated(("tester", "all")),
        "/it/round#3/supervisor": {"done": True, "result": {"merged": 2}},
        "/it/*/write": "code",
        "/it/*/check": "checked",
        "/it/*/tester": "passed",
    },
    output={"result": {"merged": 2}, "rounds": 3, "delegations": 4},
    hole="it: {supervise: {supervisor: {run: decide, output: json}, workers: {w: BODY}}}",
    hole_answers={
        "/it/round/supervisor": delegated(("w", "a"), ("w", "b")),
        "/it/round#2/supervisor": {"done": True},
    },
    failures={
        "the supervisor": ({"/it/round/supervisor": BROKEN}, ExitFailed.code),
        "a worker, whose failure the supervisor sees": ({"/it/*/tester": BROKEN}, ""),
        "an unknown worker": (
            {"/it/round/supervisor": UNKNOWN, "/it/round/supervisor#2": UNKNOWN},
            DelegationInvalid.code,
        ),
        "an unknown worker that is corrected": (
            {
                "/it/round/supervisor": UNKNOWN,
                "/it/round/supervisor#2": delegated(("tester", "a")),
                "/it/round#2/supervisor": {"done": True},
            },
            "",
        ),
        "no end": ({"/it/round#3/supervisor": delegated(("tester", "more"))}, SupervisionUnfinished.code),
    },
)
