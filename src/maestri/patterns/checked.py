"""Do a step, and take it for done only when its checks say so: its answer's form, its files, its commands.

Shape:    requires ── do ── returns? ── delivers, verify? ── handoff? ── done
                      └─ a repair turn ─┘      └─ failed          └─ blocked until it is met
Journal:  <name>/requires, <name>/inputs and <name>/cache, <name>/do (do#2 is a repair turn), <name>/verify#n
          with what each check gave, <name>/handoff#n, <name>/unmet#n (a person is asked), <name>/again#n,
          <name>/keep, <name>/remember, and one seal for <name>; with a retry all that is in <name>/try#n
Cost:     what is done, and one step for each command; no answer is lost because a check had not run yet
When:     a claim that it is done is not enough: its form, its files or a command must say so
Not:      nothing can judge it: a plain step; others must judge it: `review`
Source:   success criteria, deliverables, handoff checklist and dependencies: seed document 3; validators: 2.5
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, Literal, TypeAlias

from maestri.errors import HandoffUnmet, NotDelivered, OutputInvalid, RunError, VerifyFailed
from maestri.kernel import codec
from maestri.kernel.body import Opening
from maestri.kernel.context import Context
from maestri.kernel.path import numbered, parent
from maestri.kernel.policy import DEFAULT, Policy
from maestri.kernel.ports import Task
from maestri.patterns._answers import as_data, fitted
from maestri.patterns._registry import BoundBody, bind
from maestri.patterns._retry import retrying
from maestri.records import NamedTuple

RECHECK: Final = "check again"
ACCEPT: Final = "accept as it is"
GIVE_UP: Final = "give up"
_ANY_CODE: Final = list(range(256))
_SAID_LINES: Final = 10


class Check(NamedTuple):
    """One thing that decides whether a step is done; `said` is what messages call it.

    `command` gives the request of a `run` step from the answer, `holds` judges the answer itself.
    """

    said: str
    command: Callable[[Any], Mapping[str, Any]] | None = None
    holds: Callable[[Any], bool] | None = None


AnyCheck: TypeAlias = "Check | str | list[str] | Callable[[Any], bool]"


class _Wanted(NamedTuple):
    """All that is asked of one step."""

    body: BoundBody
    requires: Sequence[str]
    reads: Sequence[str]
    returns: Any
    repair_turns: int
    delivers: Sequence[str]
    verify: Sequence[Check]
    outputs: Callable[[Any], Any] | None
    handoff: Sequence[Check]
    on_unmet: str
    cache: Any
    max_age_s: float | None
    memory: Callable[[Context, Any], Any] | None
    source: str
    folder: str


async def checked(
    ctx: Context,
    name: str,
    body: BoundBody,
    *,
    requires: Sequence[str] = (),
    reads: Sequence[str] = (),
    returns: Mapping[str, Any] | type | None = None,
    repair_turns: int = 1,
    delivers: Sequence[str] = (),
    verify: Sequence[AnyCheck] = (),
    outputs: Callable[[Any], Any] | None = None,
    handoff: Mapping[str, AnyCheck] | None = None,
    on_unmet: Literal["block", "fail"] = "block",
    cache: Any = None,
    max_age_s: float | None = None,
    memory: Callable[[Context, Any], Any] | None = None,
    policy: Policy = DEFAULT,
    source: str = "",
    folder: str = "",
) -> Any:
    """Do a step and check it.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        body: What is done. It is given a correction: an empty text, or in a repair turn what was wrong with
            its answer.
        requires: Files that must exist before; globs are allowed.
        reads: Files that it reads; with `cache`, their content is a part of the key.
        returns: What its answer must be: a JSON Schema, or a type.
        repair_turns: How often an answer of another form may be corrected.
        delivers: Files that must exist afterwards, and hold something.
        verify: Commands that must end well, and conditions over its answer that must hold.
        outputs: Makes the output of its answer.
        handoff: What must be met before anything builds on it, by the words of each item.
        on_unmet: With an item unmet: `block` until a person has it checked again, or `fail`.
        cache: What is asked, for the key under which its output is kept for other runs; None keeps nothing.
        max_age_s: How old a kept output may be, in seconds.
        memory: Gives what is to be remembered of the output; it is journaled in the scope, once.
        policy: Retry and time limits; a failed check is a failed attempt.
        source: Where it is written, as `file:line:col`.
        folder: The folder that files are named from; the run's own without it.

    Returns:
        Its answer, or what `outputs` makes of it.

    Raises:
        OutputInvalid: The answer is not what `returns` says, after the repair turns too.
        NotDelivered: A file is not there, or is empty.
        VerifyFailed: A check fails.
        HandoffUnmet: An item is not met and `on_unmet` is `fail`, or a person gave it up.
        RequiredMissing: A file that must exist before is not there.
    """
    wanted = _Wanted(
        body, requires, reads, returns, repair_turns, delivers, [as_check(one) for one in verify], outputs,
        [as_check(one)._replace(said=said) for said, one in (handoff or {}).items()], on_unmet, cache,
        max_age_s, memory, source, folder,
    )  # fmt: skip

    def once(inner: Context, segment: str) -> Any:
        return inner.scope(segment, lambda scope: _inside(scope, wanted), pattern="checked")

    ctx.prepare(Opening(source, policy.step_timeout_s))
    if policy.retry is None and policy.attempt_timeout_s is None:
        return await once(ctx, name)
    return await retrying(ctx, name, once, policy)


def as_check(given: AnyCheck) -> Check:
    """Return a check of a command (a text for the shell, a list of arguments) or of a condition."""
    if isinstance(given, Check):
        return given
    if callable(given):
        return Check(getattr(given, "__name__", "the condition"), holds=given)
    request = {"command": given}
    return Check(given if isinstance(given, str) else " ".join(given), command=lambda _: request)


async def _inside(scope: Context, wanted: _Wanted) -> Any:
    if wanted.requires:
        await _helper(scope, "requires", "files", {"requires": list(wanted.requires)}, wanted)
    key = await _key(scope, wanted)
    step = _Step(scope, wanted)
    answer, is_kept = await step.from_cache(key)
    if not is_kept:
        answer = await step.done()
    output = answer if wanted.outputs is None else wanted.outputs(as_data(answer))
    if wanted.handoff:
        await step.hand_off(output)
    if key and not is_kept:
        kept = {"keep": key, "value": answer, "asked": codec.encode(wanted.cache)[:200]}
        await _helper(scope, "keep", "cache", kept, wanted)
    if wanted.memory is not None:
        remember = wanted.memory
        await scope.decide("remember", lambda: remember(scope, output))
    return output


async def _helper(scope: Context, name: str, agent: str, request: Mapping[str, Any], wanted: _Wanted) -> Any:
    if agent == "files" and wanted.folder:
        request = {**request, "cwd": wanted.folder}
    return await scope.perform(name, Task(agent, request, source=wanted.source))


async def _key(scope: Context, wanted: _Wanted) -> str:
    """Return the key of the output in the cache, or an empty text where it is not kept."""
    if wanted.cache is None:
        return ""
    files = [*wanted.requires, *wanted.reads]
    held = await _helper(scope, "inputs", "files", {"digest": files}, wanted) if files else {}
    what = [wanted.cache, _schema_of(wanted.returns), held.get("digest")]
    return sha256(codec.encode(what).encode()).hexdigest()


def _schema_of(returns: Any) -> Any:
    return returns if returns is None or isinstance(returns, Mapping) else str(returns)


class _Step:
    """One step on its way to being done: its answers, and the failures that people have let pass."""

    def __init__(self, scope: Context, wanted: _Wanted) -> None:
        self._scope = scope
        self._wanted = wanted
        self._failures = 0

    async def from_cache(self, key: str) -> tuple[Any, bool]:
        """Return a kept answer and whether there is one that the checks still accept."""
        if not key:
            return None, False
        wanted = self._wanted
        age = {} if wanted.max_age_s is None else {"max_age_s": wanted.max_age_s}
        found = await _helper(self._scope, "cache", "cache", {"find": key, **age}, wanted)
        if not found["hit"] or await self._verdict(found["value"]) is not None:
            return None, False
        return found["value"], True

    async def done(self) -> Any:
        """Return an answer that all checks accept.

        After a failure that a person has reopened, the checks come first: what they found may be mended.

        Raises:
            RunError: A check fails.
        """
        while True:
            answer, problem = await self._answered()
            if problem is not None:
                await self._pass_over(problem)
                continue
            problem = await self._verdict(answer)
            if problem is None:
                return answer
            await self._pass_over(problem)
            if await self._verdict(answer) is None:
                return answer

    async def _answered(self) -> tuple[Any, RunError | None]:
        """Have it done; return the answer, and what is wrong with its form after all repair turns."""
        wanted, correction = self._wanted, ""
        problems: list[str] = []
        for _ in range(wanted.repair_turns + 1):
            answer = await self._scope.scope("do", bind(wanted.body, correction))
            answer, problems = fitted(answer, wanted.returns)
            if not problems:
                return answer, None
            listed = "\n".join(f"- {problem}" for problem in problems)
            correction = f"Your last answer was not what is needed:\n{listed}\nGive the whole answer again."
        message = f"the answer is not what `returns` says: {problems[0]}"
        fix = "ask for less, or say in the prompt what the answer must look like"
        return None, OutputInvalid(message, cause="; ".join(problems[1:]), fix=fix)

    async def _verdict(self, answer: Any) -> RunError | None:
        """Return why the step is not done, by its files and its checks."""
        wanted = self._wanted
        if not wanted.delivers and not wanted.verify:
            return None

        async def verify(scope: Context) -> Any:
            unmet = []
            if wanted.delivers:
                request = {"delivers": list(wanted.delivers)}
                unmet += (await _helper(scope, "delivers", "files", request, wanted))["unmet"]
            return unmet + await _unmet(scope, wanted.verify, answer, wanted)

        unmet = await self._scope.scope("verify", verify)
        if not unmet:
            return None
        cls = NotDelivered if unmet[0]["check"] in wanted.delivers else VerifyFailed
        what = "does not deliver" if cls is NotDelivered else "is not done by its check"
        message = f"the step {what} `{unmet[0]['check']}`: {_last_line(unmet[0]['said'])}"
        fix = "mend what the check found and resume the run: the checks come first, and what passes is kept"
        return cls(message, cause=_listed(unmet), fix=fix, detail={"unmet": unmet})

    async def _pass_over(self, problem: RunError) -> None:
        """Go on past a failure that the step was reopened after; raise one that is new.

        Raises:
            RunError: It is new.
        """
        self._failures += 1
        number, scope = self._failures, self._scope
        if scope.recorded(numbered("again", number)) is None:
            before = {} if scope.taken_back is None else scope.taken_back.body.get("failure", {})
            detail = before.get("detail") or {}
            if detail.get("failures") != number:
                problem.detail = {**(problem.detail or {}), "failures": number}
                raise problem
        await scope.decide("again", lambda: True)

    async def hand_off(self, output: Any) -> None:
        """Return when all items of the checklist are met, or a person has accepted it as it is.

        Raises:
            HandoffUnmet: Some are not, and it is to fail of that.
        """
        wanted = self._wanted
        while unmet := await self._scope.scope(
            "handoff", lambda s: _unmet(s, wanted.handoff, output, wanted)
        ):
            items = ", ".join(f"`{one['check']}`" for one in unmet)
            message = f"the handoff is not met: {items}"
            fix = "meet the items and resume the run: they are checked again"
            problem = HandoffUnmet(message, cause=_listed(unmet), fix=fix, detail={"unmet": unmet})
            if wanted.on_unmet == "fail":
                await self._pass_over(problem)
                continue
            step = parent(self._scope.path)[1]
            question = f"the handoff of `{step}` is not met: {_listed(unmet)}"
            word = await self._scope.ask("unmet", question, [RECHECK, ACCEPT, GIVE_UP])
            if word == ACCEPT:
                return
            if word == GIVE_UP:
                raise problem


async def _unmet(scope: Context, checks: Sequence[Check], answer: Any, wanted: _Wanted) -> Any:
    """Return the checks that fail, each with what it said."""
    found = []
    for check in checks:
        said = "" if check.holds is None or check.holds(answer) else "it does not hold"
        if check.command is not None:
            said = await _run(scope, check.command(answer), wanted)
        if said:
            found.append({"check": check.said, "said": said})
    return found


async def _run(scope: Context, request: Mapping[str, Any], wanted: _Wanted) -> str:
    """Run a check's command; return what it said where it ended badly."""
    asked = {**request, "output": "result", "ok": _ANY_CODE}
    found = await _helper(scope, "check", "run", asked, wanted)
    code = found["exit_code"]
    if code in request.get("ok", (0,)):
        return ""
    lines = f"{found['stdout']}\n{found['stderr']}".strip().splitlines()[-_SAID_LINES:]
    return "\n".join([f"exit code {code}", *lines])


def _listed(unmet: Sequence[Mapping[str, str]]) -> str:
    return "; ".join(f"{one['check']}: {one['said']}" for one in unmet)


def _last_line(text: str) -> str:
    lines = text.splitlines()
    return lines[0] if len(lines) == 1 else f"{lines[0]}: {lines[-1].strip()}"
