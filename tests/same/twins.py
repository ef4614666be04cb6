"""Workflows in two forms: a YAML text and a Python function that must write the same journal.

The steps are answered by a script: by path, and where it matters by the number of the attempt.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from maestri.errors import ExitFailed
from maestri.kernel.body import Body, OneStep
from maestri.kernel.context import Context
from maestri.kernel.policy import Policy, Retry
from maestri.kernel.ports import Attempt, Task
from maestri.patterns import branch, each, graph, loop, parallel, sequence, workflow
from maestri.patterns._registry import Arm, Need
from maestri.patterns._retry import retrying


class Twin(NamedTuple):
    """A workflow in both forms, the answers of its steps by path, and its inputs."""

    name: str
    yaml: str
    python: Callable[..., Awaitable[Any]]
    answers: Mapping[str, Any]
    inputs: Mapping[str, Any] = {}


def run(command: str, name: str) -> OneStep[Any]:
    """Return a body that is one command."""
    return OneStep(lambda ctx: ctx.run(name, command))


def _fails(_task: Task, _attempt: Attempt) -> Any:
    return ExitFailed("it ended with exit code 1", fix="mend it")


def _fails_first(then: Any) -> Callable[[Task, Attempt], Any]:
    """Return an answer that is a failure in the first attempt, also when a crash made it be asked again."""
    return lambda task, attempt: _fails(task, attempt) if attempt.number == 1 else then


# --- sequence, run, call, wait ------------------------------------------------------------------------

_SEQUENCE = """
workflow: twin
inputs: {who: {type: text, default: world}}
steps:
  first: {run: 'printf "hello $WHO"', env: {WHO: "${inputs.who}"}, output: lines, ok: [0, 1]}
  pause: {wait: 90s}
  inner:
    steps:
      count: {call: "builtins:len", args: ["${first}"]}
      again: {run: [printf, "%s", "${count}"], stdin: "${inputs.who}"}
  last: {call: "builtins:dict", args: {a: "${inner}", b: "${first}"}}
output: ${last.a}
"""


async def _sequence(ctx: Context, who: str = "world") -> Any:
    first = await ctx.run("first", 'printf "hello $WHO"', env={"WHO": who}, output="lines", ok=[0, 1])
    await ctx.sleep(90, "pause")

    async def steps(scope: Context) -> Any:
        count = await scope.call("count", "builtins:len", first)
        return await scope.run("again", ["printf", "%s", str(count)], stdin=who)

    inner = await sequence(ctx, "inner", steps)
    last = await ctx.call("last", "builtins:dict", a=inner, b=first)
    return last["a"]


# --- parallel -----------------------------------------------------------------------------------------

_PARALLEL = """
workflow: twin
steps:
  checks:
    parallel:
      max_concurrent: 2
      branches:
        lint: {run: ruff check .}
        types: {run: mypy .}
        docs:
          steps:
            build: {run: make docs}
            links: {run: make links}
          output: ${build}
      on_result:
        steps:
          tell: {call: "builtins:str", args: ["${result.name}"]}
  all: {call: "builtins:len", args: ["${checks}"]}
"""


async def _parallel(ctx: Context) -> Any:
    async def docs(scope: Context) -> Any:
        build = await scope.run("build", "make docs")
        await scope.run("links", "make links")
        return build

    async def tell(scope: Context, result: Any) -> Any:
        return await scope.call("tell", "builtins:str", result["name"])

    branches: dict[str, Body[Any]] = {
        "lint": run("ruff check .", "lint"),
        "types": run("mypy .", "types"),
        "docs": docs,
    }
    checks = await parallel(ctx, "checks", branches, max_concurrent=2, on_result=tell)
    return await ctx.call("all", "builtins:len", checks)


# --- graph --------------------------------------------------------------------------------------------

_GRAPH = """
workflow: twin
steps:
  build:
    graph:
      steps:
        fetch: {run: make fetch}
        core: {needs: [fetch], run: make core, env: {FROM: "${fetch}"}}
        docs:
          needs: [fetch]
          steps:
            text: {run: make text}
            html: {run: make html}
        pack: {needs: [core, docs], call: "builtins:dict", args: {core: "${core}", docs: "${docs}"}}
output: ${build.pack}
"""


async def _graph(ctx: Context) -> Any:
    ended: dict[str, Any] = {}

    def kept(name: str, call: Callable[[Context], Awaitable[Any]]) -> OneStep[Any]:
        async def inside(scope: Context) -> Any:
            ended[name] = await call(scope)
            return ended[name]

        return OneStep(inside)

    async def text_and_html(scope: Context) -> Any:
        await scope.run("text", "make text")
        return await scope.run("html", "make html")

    steps = {
        "fetch": Need(kept("fetch", lambda s: s.run("fetch", "make fetch"))),
        "core": Need(
            kept("core", lambda s: s.run("core", "make core", env={"FROM": ended["fetch"]})), ("fetch",)
        ),
        "docs": Need(kept("docs", lambda s: sequence(s, "docs", text_and_html)), ("fetch",)),
        "pack": Need(
            OneStep(lambda s: s.call("pack", "builtins:dict", core=ended["core"], docs=ended["docs"])),
            ("core", "docs"),
        ),
    }
    return (await graph(ctx, "build", steps))["pack"]


# --- branch -------------------------------------------------------------------------------------------

_BRANCH = """
workflow: twin
inputs: {size: integer}
steps:
  look: {run: wc, output: json}
  route:
    branch:
      small: {when: "${look < inputs.size}", run: make small}
      large:
        steps:
          split: {run: make split}
          each_part: {run: make parts}
  then:
    branch:
      never: {when: '${route == "other"}', run: make never}
"""


async def _branch(ctx: Context, size: int) -> Any:
    look = await ctx.run("look", "wc", output="json")

    async def large(scope: Context) -> Any:
        await scope.run("split", "make split")
        return await scope.run("each_part", "make parts")

    arms = {"small": Arm(run("make small", "small"), lambda: look < size), "large": Arm(large)}
    route = await branch(ctx, "route", arms)
    return await branch(ctx, "then", {"never": Arm(run("make never", "never"), lambda: route == "other")})


# --- loop ---------------------------------------------------------------------------------------------

_LOOP = """
workflow: twin
steps:
  mend:
    loop:
      max_rounds: 5
      start: none yet
      no_progress: 3
      until: ${check == "clean" and round > 1}
      steps:
        fix: {run: make fix, env: {LAST: "${last}", ROUND: "${round}"}}
        check: {run: make check}
  bounded:
    loop: {while: "${round <= 2}", max_rounds: 9, steps: {go: {run: make go}}}
"""


async def _loop(ctx: Context) -> Any:
    async def round_(scope: Context, number: int, last: Any) -> Any:
        await scope.run("fix", "make fix", env={"LAST": last, "ROUND": str(number)})
        return await scope.run("check", "make check")

    async def go(scope: Context, _number: int, _last: Any) -> Any:
        return await scope.run("go", "make go")

    await loop(
        ctx,
        "mend",
        round_,
        max_rounds=5,
        start="none yet",
        no_progress=3,
        until=lambda _scope, number, check: check == "clean" and number > 1,
    )
    return await loop(ctx, "bounded", go, while_=lambda _s, number, _l: number <= 2, max_rounds=9)


# --- each and reduce ----------------------------------------------------------------------------------

_EACH = """
workflow: twin
steps:
  files: {run: git ls-files, output: lines}
  sizes:
    each:
      items: ${files}
      as: file
      max_concurrent: 2
      steps:
        count: {run: wc "$FILE", env: {FILE: "${file}"}, output: json}
        place: {call: "builtins:str", args: ["${index}"]}
      output: ${count}
      reduce:
        steps:
          good: {call: "builtins:len", args: ["${results}"]}
"""


async def _each(ctx: Context) -> Any:
    async def one(scope: Context, file: str, index: int) -> Any:
        count = await scope.run("count", 'wc "$FILE"', env={"FILE": file}, output="json")
        await scope.call("place", "builtins:str", index)
        return count

    async def good(scope: Context, results: list[Any]) -> Any:
        return await scope.call("good", "builtins:len", results)

    files = await ctx.run("files", "git ls-files", output="lines")
    return await each(ctx, "sizes", files, one, as_="file", max_concurrent=2, reduce=good)


# --- workflows in workflows ---------------------------------------------------------------------------

_NESTED = """
workflow: twin
inputs: {depth: integer}
steps:
  before: {run: make before}
  outer: {workflow: middle, inputs: {name: "${before}"}}
output: ${outer}
workflows:
  middle:
    inputs: {name: text}
    steps:
      greet: {run: greet, env: {NAME: "${inputs.name}"}}
      deep: {workflow: inmost, inputs: {words: "${greet}"}}
  inmost:
    inputs: {words: text, times: {type: integer, default: 2}}
    steps:
      say: {run: [say, "${inputs.words}", "${inputs.times}"]}
"""


async def _nested(ctx: Context, depth: int) -> Any:
    async def inmost(scope: Context, inputs: Mapping[str, Any]) -> Any:
        return await scope.run("say", ["say", inputs["words"], str(inputs.get("times", 2))])

    async def middle(scope: Context, inputs: Mapping[str, Any]) -> Any:
        greet = await scope.run("greet", "greet", env={"NAME": inputs["name"]})
        return await workflow(scope, "deep", inmost, inputs={"words": greet})

    del depth
    before = await ctx.run("before", "make before")
    return await workflow(ctx, "outer", middle, inputs={"name": before})


# --- when ---------------------------------------------------------------------------------------------

_WHEN = """
workflow: twin
steps:
  look: {run: look, output: json}
  act: {when: "${look > 5}", run: act}
  rest:
    when: ${look <= 5}
    steps:
      tidy: {run: tidy}
  tell: {call: "builtins:str", args: ['${default(act, "nothing")}']}
"""


async def _when(ctx: Context) -> Any:
    look = await ctx.run("look", "look", output="json")
    act = None
    if look > 5:
        act = await ctx.run("act", "act")
    else:
        await ctx.skip("act")
    await sequence(ctx, "rest", run("tidy", "tidy").call)
    return await ctx.call("tell", "builtins:str", act if act is not None else "nothing")


# --- a failure that is settled ------------------------------------------------------------------------

_SETTLED = """
workflow: twin
steps:
  checks:
    parallel:
      join: settled
      branches:
        lint: {run: lint}
        types:
          steps:
            install: {run: install}
            check: {run: check}
  verdict: {call: "builtins:dict", args: {lint: "${failed(checks.lint)}", types: "${failed(checks.types)}"}}
"""


def _failed(output: Any) -> bool:
    return isinstance(output, dict) and "failed" in output


async def _settled(ctx: Context) -> Any:
    async def types(scope: Context) -> Any:
        await scope.run("install", "install")
        return await scope.run("check", "check")

    checks = await parallel(ctx, "checks", {"lint": run("lint", "lint"), "types": types}, join="settled")
    lint, types_ = _failed(checks["lint"]), _failed(checks["types"])
    return await ctx.call("verdict", "builtins:dict", lint=lint, types=types_)


# --- retries ------------------------------------------------------------------------------------------

_RETRY = """
workflow: twin
steps:
  flaky: {run: flaky, retry: {max: 3, delay: 10s, jitter: 0}, timeout: 5m}
  sure: {run: sure, retry: 2}
"""


async def _retry(ctx: Context) -> Any:
    often = Policy(Retry(max_attempts=3, delay_s=10.0, jitter=0.0), step_timeout_s=300.0)
    await ctx.run("flaky", "flaky", policy=often)
    return await ctx.run("sure", "sure", policy=Policy(Retry(max_attempts=2)))


_RETRY_PATTERN = """
workflow: twin
steps:
  whole:
    retry: {max: 3, delay: 10s}
    steps:
      first: {run: first}
      second: {run: second}
"""


async def _retry_pattern(ctx: Context) -> Any:
    async def steps(scope: Context) -> Any:
        await scope.run("first", "first")
        return await scope.run("second", "second")

    def attempt(scope: Context, name: str) -> Awaitable[Any]:
        return sequence(scope, name, steps)

    return await retrying(ctx, "whole", attempt, Policy(Retry(max_attempts=3, delay_s=10.0)))


# --- the first of several -----------------------------------------------------------------------------

_ANY = """
workflow: twin
steps:
  first:
    parallel:
      join: any
      branches:
        broken: {run: broken}
        good: {run: good}
        other:
          steps:
            slow: {run: slow}
            more: {run: more}
"""


async def _any(ctx: Context) -> Any:
    async def other(scope: Context) -> Any:
        await scope.run("slow", "slow")
        return await scope.run("more", "more")

    branches: dict[str, Body[Any]] = {
        "broken": run("broken", "broken"),
        "good": run("good", "good"),
        "other": other,
    }
    return await parallel(ctx, "first", branches, join="any")


TWINS = (
    Twin(
        "sequence",
        _SEQUENCE,
        _sequence,
        {"/first": ["hello", "you"], "/inner/count": 2, "/inner/again": "2", "/last": {"a": 1.5}},
        {"who": "you"},
    ),
    Twin("parallel", _PARALLEL, _parallel, {"/all": 3, "*/tell": "told", "*": "fine"}),
    Twin("graph", _GRAPH, _graph, {"/build/pack": {"packed": True}, "*": "made"}),
    Twin("branch-first", _BRANCH, _branch, {"/look": 3, "*": "made"}, {"size": 4}),
    Twin("branch-otherwise", _BRANCH, _branch, {"/look": 5, "*": "made"}, {"size": 4}),
    Twin("loop", _LOOP, _loop, {"/mend/*/check": "clean", "*": "done"}),
    Twin(
        "each",
        _EACH,
        _each,
        {
            "/files": ["a", "b", "c"],
            "/sizes/item#2/count": _fails,
            "*/count": 7,
            "*/place": "here",
            "/sizes/reduce/good": 3,
        },
    ),
    Twin("nested", _NESTED, _nested, {"*": "said"}, {"depth": 3}),
    Twin("when", _WHEN, _when, {"/look": 3, "*": "done"}),
    Twin("settled", _SETTLED, _settled, {"/checks/lint": _fails, "*": "fine"}),
    Twin("retry", _RETRY, _retry, {"/flaky": _fails_first("at last"), "*": "fine"}),
    Twin(
        "retry-pattern",
        _RETRY_PATTERN,
        _retry_pattern,
        {"/whole/try/second": _fails, "/whole/try#2/first": _fails, "*": "fine"},
    ),
    Twin("any", _ANY, _any, {"/first/broken": _fails, "*": "fine"}),
)
