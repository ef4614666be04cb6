"""Check, give the failures to a fixer, and check again, in a copy of a directory until the check passes.

Shape:    copy ──┌──────────────────────────┐
                 └─ check ── failed? ── fix ┘
                      └───── passed: the changes are brought back
Journal:  <name>/round#n with check, and fix or apply and clean below it (copy in the first one), and one seal
          for <name>; a check that fails is a handled failure
Cost:     the rounds, and one copy of the directory; a resume reads the last round only
When:     something broken that a check can tell is mended: tests, builds, linters
Not:      the fix is known: a step; no command can tell: `refine`
Source:   sandbox iteration: seed document 0.5; test-driven repair
"""

from __future__ import annotations

from typing import Annotated, Any

from maestri.errors import InputInvalid, PatternFailed, RunError
from maestri.kernel.context import Context
from maestri.patterns._directory import applied, cleaned, copied
from maestri.patterns._registry import Binds, BoundBody, Predicate, bind, pattern
from maestri.patterns._rounds import Limits, Round, check_limits, repeat


@pattern("repair")
async def repair(
    ctx: Context,
    name: str,
    check: Annotated[BoundBody, Binds(("round", "dir"))],
    fix: Annotated[BoundBody, Binds(("failures", "round", "dir"))],
    *,
    max_rounds: int = 5,
    dir_: str | None = None,
    accept: Annotated[Predicate, Binds(("output",))] | None = None,
    no_progress: int | None = None,
) -> dict[str, Any]:
    """Repair a directory.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        check: The check, with `round` (from 1) and `dir`, the copy in which it is to look; it fails where
            something is wrong.
        fix: The fixer, with `failures` (what the check said: a list of `{code, message, detail}`), `round`
            and `dir`, the copy in which it is to work.
        max_rounds: How often the fixer may try.
        dir_: The directory; that of the run without it.
        accept: Whether a check that did not fail has passed, judged on its `output`.
        no_progress: Stop when this many checks in a row said the same.

    Returns:
        `{rounds, output, added, changed, deleted}`: how many checks there were, the output of the last one,
        and the files that were brought back.

    Raises:
        RoundsExhausted: The check still fails.
        NoProgress: The check goes on saying the same.
        DirectoryChanged: The directory has changed meanwhile; nothing was brought back, and the copy is kept.
        InputInvalid: `dir` is not a directory, or a number is too small.
    """
    words = f"the check still fails after {max_rounds} fix{'es' if max_rounds > 1 else ''}"
    limits = Limits(max_rounds + 1, no_progress, words=words, explain=_where)
    try:
        check_limits(limits._replace(max_rounds=max_rounds))
    except InputInvalid as error:
        return await ctx.refuse(name, error)  # type: ignore[no-any-return]

    async def checked(scope: Context, number: int, place: str) -> dict[str, Any]:
        try:
            output = await scope.scope("check", bind(check, number, place))
        except RunError as error:
            if not (error.retryable or isinstance(error, PatternFailed)):
                raise  # the check itself cannot be done: no fixer could help
            failure = {"code": error.code, "message": error.message, "detail": error.detail}
            return {"passed": False, "failures": [failure]}
        if accept is None or accept(scope, output):
            return {"passed": True, "output": output}
        message = "the output of the check was not accepted"
        return {"passed": False, "failures": [{"code": None, "message": message, "detail": output}]}

    async def one(scope: Context, before: Round) -> Any:
        number = before.number + 1
        place = before.output["dir"] if _is_state(before.output) else await copied(scope, "copy", dir_)
        state = {"dir": place, **await checked(scope, number, place)}
        if state["passed"]:
            state["changes"] = await applied(scope, "apply", dir_, place)
            await cleaned(scope, "clean", [place])
        elif number - before.base <= max_rounds:
            await scope.scope("fix", bind(fix, state["failures"], number, place))
        return state

    async def inside(scope: Context) -> dict[str, Any]:
        at = await repeat(scope, one, limits, until=_has_passed, compared=lambda state: state.get("failures"))
        state = at.output if _is_state(at.output) else {"output": at.output}
        return {"rounds": at.number, "output": state.get("output"), **state.get("changes", {})}

    return await ctx.scope(name, inside, pattern="repair", total=max_rounds + 1, of_rounds=True)


def _is_state(output: Any) -> bool:
    """Tell whether this is what a round leaves, and not what a person has put in its place."""
    return isinstance(output, dict) and "passed" in output


def _has_passed(_scope: Context, _number: int, state: Any) -> bool:
    return bool(state["passed"])


def _where(state: Any) -> str:
    return f"nothing was brought back; the copy is `{state['dir']}`" if _is_state(state) else ""
