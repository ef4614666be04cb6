"""One step from its start to its record: attempts, limits of time, cancellation.

Rule 1: every way out of a step is one event: succeeded, failed or cancelled. Parking leaves none.
Rule 2: the start of a step that costs money is stored before it is sent; a free one rides.
Rule 3: the output is stored before anybody sees it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from opcode import opmap
from types import TracebackType
from typing import Any, NoReturn

from maestri.errors import (
    EngineError,
    MaestriError,
    ReplayError,
    RunError,
    StepFailed,
    Timeout,
    to_failure,
)
from maestri.kernel import codec, reports, state
from maestri.kernel import events as ev
from maestri.kernel.events import Event
from maestri.kernel.past import WITH_SCOPE, Known, cancelled_error, cancelled_fields
from maestri.kernel.policy import DEFAULT, NO_RETRY, retry_delay_s
from maestri.kernel.ports import Answer
from maestri.kernel.run import ATTEMPT, IDLE, LIMIT, REQUEST, RunCore, Stop
from maestri.kernel.step import Step, is_async, limit_of, start_body
from maestri.kernel.typed import build, settle


async def perform(step: Step, known: Known | None) -> Any:
    """Perform a step that has no end on record yet and return its output in its stored form.

    Raises:
        RunError: It failed, or was cancelled by request; this is on record when it is raised.
    """
    run = step.run
    try:
        if known is not None:
            await _take_up(step, known)
            if known.held and (body := await reports.take_up(step, known.held)) is not None:
                await _complete(step, body)
                return codec.decode(body)["output"]
        return await _attempts(step)
    except asyncio.CancelledError:
        if run.is_parking or step.state in state.ENDED:
            raise
        if not step.take_back():
            run.journal.append(_cancelled(step, {"reason": WITH_SCOPE}))
            raise
        return await _end_stopped(step)
    finally:
        step.close()


async def _complete(step: Step, body: str) -> None:
    """Record that a step has succeeded; with a blocker that it has reported, when that is settled."""
    if step.run.waits.holds:
        await reports.until_released(step, body)
    step.close()
    step.release()
    await step.run.journal.commit(step.event(ev.SUCCEEDED, body))


async def _take_up(step: Step, known: Known) -> None:
    """Take up where the journal left: the next attempt, and the rest of the wait before it."""
    step.earlier = known.before
    step.begun = known.before + known.failures
    step.attempt = step.begun + 1
    if not known.failures:
        return
    step.state = state.READY
    rest_s = (known.retry_at or 0.0) - step.run.clock.now()
    if rest_s > 0:
        await step.run.clock.sleep(min(rest_s, known.delay_s))  # the clock may have been set back


async def _attempts(step: Step) -> Any:
    run, task = step.run, step.task
    while True:
        started = step.event(ev.STARTED, start_body(step), step.begun_at or None)
        step.begun = step.attempt
        if task.costs:
            await run.journal.commit(started)
        else:
            run.journal.append(started)
        try:
            answer, text, value = await _answered(step)
        except (EngineError, ReplayError):
            raise
        except asyncio.CancelledError as error:
            if step.is_interrupted or run.is_parking:
                raise
            await _failed(step, _as_failure(error))
        except BaseException as error:  # a function's own exception is its failure
            if not is_of_workflow(error):
                raise
            if run.is_told_to_stop(step):
                raise asyncio.CancelledError from error  # whatever it says, it was stopped
            await _failed(step, _as_failure(error))
        else:
            await _complete(step, _success_body(step, text, answer))
            return value


async def _answered(step: Step) -> tuple[Answer, str, Any]:
    """Make one attempt and return its answer, and the value of that as text and in its decoded form."""
    task, policy = step.task, step.task.policy
    if policy is DEFAULT or (policy.attempt_timeout_s is None and policy.idle_timeout_s is None):
        found = await _dispatched(step, _nothing)
    else:
        found = await _limited(step)
    answer = Answer(found) if step.is_direct else found
    if step.is_interrupted:
        await asyncio.sleep(0)  # a function that has stopped itself hears of it here
    text, value = settle(answer.value)
    if task.returns is not None:
        build(task.returns, value)
    return answer, text, value


def _as_failure(error: BaseException) -> RunError:
    """Return what an attempt raised as a failure; a function's own exception is its failure."""
    if isinstance(error, RunError):
        return error
    if isinstance(error, MaestriError):
        return StepFailed(error.message, fix=error.fix, cause=error.cause or place_of(error))
    if isinstance(error, asyncio.CancelledError):
        message = "the function awaited something that was cancelled, though nobody cancelled the step"
        return StepFailed(message, cause=place_of(error), fix="catch CancelledError where it can come up")
    return StepFailed(f"{type(error).__name__}: {error}", cause=place_of(error))


async def _limited(step: Step) -> Any:
    """Make an attempt under limits of its own: for its length, and for its silence."""
    policy = step.task.policy
    limit = limit_of(step, ATTEMPT, policy.attempt_timeout_s)
    silence = _Silence(step, policy.idle_timeout_s) if policy.idle_timeout_s is not None else None
    try:
        return await _dispatched(step, silence.beat if silence else _nothing)
    except (asyncio.CancelledError, Exception):
        why = step.stopping
        if why is None or not why.is_passing or not step.take_back():
            raise
        step.release()
        raise _timeout(step, why) from None
    finally:
        if limit is not None:
            limit.cancel()
        if silence is not None:
            silence.close()


def _dispatched(step: Step, beat: Callable[[], None]) -> Awaitable[Any]:
    """Begin an attempt: an async function is called here and gives its value, all else gives an `Answer`."""
    if step.ahead is not None:
        rest, step.ahead, step.is_direct, step.begun_at = step.ahead, None, True, 0.0
        return rest
    function = step.task.function
    step.is_direct = function is not None and is_async(function)
    if function is not None and step.is_direct:
        return function()  # type: ignore[no-any-return]
    return reports.performed(step, beat)


async def _failed(step: Step, error: RunError) -> None:
    """Record a failed attempt: wait for the next one, or raise.

    Raises:
        RunError: There is no next one.
    """
    run, retry = step.run, step.task.policy.retry or NO_RETRY
    error.path, error.attempt, error.run = step.path, step.attempt, run.info.name
    run.waits.holds.pop(step.path, None)  # of an attempt that ended well, and whose answer does not do
    failure = to_failure(error)
    random = run.random.random() if retry.max_attempts > 1 else 0.0
    delay_s = retry_delay_s(retry, step.attempt - step.earlier, failure, error.kind, random)
    fields: dict[str, Any] = {"failure": failure.as_json()}
    if delay_s is None:
        if step.attempt > 1:
            fields["attempt"] = step.attempt
        step.close()
        await store_failure(run, step.event(ev.FAILED, codec.encode(fields)))
        raise error
    fields = {"attempt": step.attempt, "delay_s": round(delay_s, 3), **fields}
    run.journal.append(step.event(ev.RETRIED, codec.encode(fields)))
    step.attempt += 1
    await run.clock.sleep(delay_s)


async def store_failure(run: RunCore, event: Event) -> None:
    """Store a failure; note it when its scope is cancelled meanwhile, so that nobody hears of it."""
    try:
        await run.journal.commit(event)
    except asyncio.CancelledError:
        run.unheard.append(event.path)
        raise


async def _end_stopped(step: Step) -> NoReturn:
    """Record what stopped the step: its time limit, or a request.

    Raises:
        Timeout: Its time was up.
        StepCancelled: It was cancelled.
    """
    why = step.stopping or Stop(REQUEST)
    if why.kind != REQUEST:
        error: RunError = _timeout(step, why)
        body = codec.encode({"failure": to_failure(error).as_json(), "attempt": step.begun})
        await store_failure(step.run, step.event(ev.FAILED, body))
        raise error
    error = cancelled_error(step.path, why.words, step.begun or None)
    await step.run.journal.commit(_cancelled(step, cancelled_fields(why.words)))
    raise error


def _cancelled(step: Step, fields: dict[str, Any]) -> Event:
    """Return the record of a step that was cancelled, with the attempt that was under way or the last one."""
    return step.event(
        ev.CANCELLED, codec.encode({**fields, **({"attempt": step.begun} if step.begun else {})})
    )


def _timeout(step: Step, why: Stop) -> Timeout:
    what, option = {
        ATTEMPT: ("the attempt took longer than", "attempt_timeout"),
        IDLE: ("there was no output for", "idle_timeout"),
        LIMIT: ("the step took longer than", "timeout"),
    }[why.kind]
    return Timeout(
        f"{what} {why.limit_s:g} s",
        fix=f"raise `{option}`, or see with `maestri logs` what it was doing",
        path=step.path,
        attempt=step.begun or None,
        run=step.run.info.name,
    )


class _Silence:
    """Stops a step that gives no sign of life; a beat costs one assignment, not a new timer."""

    def __init__(self, step: Step, limit_s: float) -> None:
        self._step = step
        self._limit_s = limit_s
        self._monotonic = step.run.clock.monotonic
        self._heard = self._monotonic()
        self._timer = step.run.clock.call_later(limit_s, self._check)

    def beat(self) -> None:
        self._heard = self._monotonic()

    def _check(self) -> None:
        if self._step.path in self._step.run.waits.holds:
            self.beat()  # it says nothing because it waits
        rest_s = self._heard + self._limit_s - self._monotonic()
        if rest_s <= 0:
            self._step.stop(Stop(IDLE, limit_s=self._limit_s))
        else:
            self._timer = self._step.run.clock.call_later(rest_s, self._check)

    def close(self) -> None:
        self._timer.cancel()


def _success_body(step: Step, text: str, answer: Answer) -> str:
    if step.attempt == 1 and answer.usage is None and not answer.artifacts:
        return f'{{"output":{text}}}'
    more: dict[str, Any] = {"attempt": step.attempt}
    if answer.usage is not None:
        more["usage"] = answer.usage.as_json()
    if answer.artifacts:
        more["artifacts"] = [ref.as_json() for ref in answer.artifacts]
    return f'{{"output":{text},{codec.encode(more)[1:]}'


def place_of(error: BaseException) -> str:
    """Return where in the user's code an exception was raised, as `file:line in function`."""
    trace = _innermost(error)
    if trace is None:
        return ""
    code = trace.tb_frame.f_code
    return f"raised at {code.co_filename}:{trace.tb_lineno} in {code.co_name}"


def _innermost(error: BaseException) -> TracebackType | None:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace


def is_of_workflow(error: BaseException) -> bool:
    """Tell whether an exception is a failure of the code that raised it, and not of what happens to it.

    An interrupt from outside, and the end of a coroutine that nobody awaits any more, come up at any
    instruction; what a `raise` statement of the code itself says is that code's failure, like `sys.exit()`.
    """
    if isinstance(error, Exception | SystemExit):
        return True
    trace = _innermost(error) if isinstance(error, KeyboardInterrupt | GeneratorExit) else None
    if trace is None or trace.tb_frame.f_globals.get("__name__") == asyncio.runners.__name__:
        return False
    return trace.tb_frame.f_code.co_code[trace.tb_lasti] == opmap["RAISE_VARARGS"]


def _nothing() -> None:
    pass
