"""How a scope ends: its body's output becomes its seal, its error the record of its failure.

Rule 1: a seal is derived from what is below it, so it rides with the next commit and is never waited for.
Rule 2: a failure names the paths it came from; a resume reopens those and the scopes above them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from maestri.errors import (
    MaestriError,
    RunError,
    StepFailed,
    Timeout,
    UsageError,
    to_failure,
)
from maestri.kernel import codec, typed
from maestri.kernel import events as ev
from maestri.kernel.attempts import is_of_workflow, place_of
from maestri.kernel.events import Event
from maestri.kernel.past import WITH_SCOPE, cancelled_error, cancelled_fields
from maestri.kernel.path import ROOT
from maestri.kernel.run import LIMIT, REQUEST, UNWINDING, Live, RunCore, Stop
from maestri.kernel.typed import build, return_type
from maestri.values import Json


class Closable(Protocol):
    """What closing needs to know of a scope."""

    path: str
    remark: Json

    @property
    def digest(self) -> str:
        """What its steps asked for."""
        ...

    @property
    def failed(self) -> int:
        """How many failures there were in it."""
        ...

    def add_failures(self, count: int) -> None:
        """Count failures that no step below it stands for."""
        ...

    def check_past(self) -> None:
        """Refuse when the journal has more than the body asked for."""
        ...


S = TypeVar("S", bound=Closable)


def close(run: RunCore, scope: Closable, outcome: Outcome, above: str, segment: str) -> Any:
    """Record how a scope ended, and return its output.

    Args:
        run: The run.
        scope: The scope.
        outcome: How its body ended.
        above: The path of the scope around it.
        segment: Its place there.

    Raises:
        RunError: The body failed; this is on record.
    """
    now = run.clock.now()
    if outcome.error is None:
        if run.unheard:
            run.take_unheard(scope.path)  # what failed below this scope no longer matters
        run.journal.append(Event(ev.SEALED, above, segment, now, scope.digest, _seal_body(scope, outcome)))
        return outcome.value
    if isinstance(outcome.error, RunError) and outcome.error.origins == (scope.path,):
        scope.add_failures(1)
    if isinstance(outcome.error, asyncio.CancelledError):
        record = codec.encode({"reason": WITH_SCOPE})
        run.journal.append(Event(ev.SCOPE_CANCELLED, above, segment, now, "", record))
        raise outcome.error
    # Whoever handles this failure has handled those below; if nobody does, they are reopened with it.
    outcome.error.origins = tuple(dict.fromkeys([*outcome.error.origins, *run.take_unheard(scope.path)]))
    stop = outcome.stop
    if stop is not None and stop.kind == REQUEST:
        kind, record = ev.SCOPE_CANCELLED, _cancelled_body(outcome.error, scope, stop)
    else:
        kind, record = ev.SCOPE_FAILED, failure_body(outcome.error, scope)
    run.journal.append(Event(kind, above, segment, now, scope.digest, record))
    raise outcome.error


def _seal_body(scope: Closable, outcome: Outcome) -> str:
    body = f'{{"output":{outcome.text}'
    if scope.failed:
        body += f',"failed":{scope.failed}'
    if scope.remark is not None:
        body += f',"remark":{codec.encode(scope.remark)}'
    return body + "}"


def _cancelled_body(error: RunError, scope: Closable, stop: Stop) -> str:
    fields = {**cancelled_fields(stop.words), "failed": scope.failed}
    if len(error.origins) > 1:
        fields["because"] = list(error.origins)
    return codec.encode(fields)


class Outcome:
    """How a body ended: with a value and its JSON text, or with an error, which a `stop` may have caused."""

    __slots__ = ("error", "stop", "text", "value")

    def __init__(
        self, text: str = "", value: Any = None, error: Any = None, *, stop: Stop | None = None
    ) -> None:
        self.text = text
        self.value = value
        self.error = error
        self.stop = stop


async def settle(
    run: RunCore, scope: S, body: Callable[[S], Awaitable[Any]], timeout_s: float | None = None
) -> Outcome:
    """Run a body and return how it ended; what is no business of the workflow's passes through.

    Raises:
        MaestriError: The engine or the replay has a problem, which is not a failure of the work.
        CancelledError: The run is being left: it is parked, or the engine has broken.
    """
    live = Live(asyncio.current_task(run.loop), is_scope=True)
    run.begin(scope.path, live)
    timer = None
    if timeout_s is not None:
        timer = run.clock.call_later(timeout_s, lambda: _time_is_up(run, live, timeout_s))
    try:
        if live.is_interrupted:
            await asyncio.sleep(0)  # it was stopped before it began, and hears of it here
        value = await body(scope)
        if live.is_interrupted:
            await asyncio.sleep(0)  # a body that has stopped itself hears of it here
        run.check_left()
        live.release()  # a request that the body has swallowed is over
        scope.check_past()
        text, value = typed.settle(value)
        wanted = return_type(body)
        return Outcome(text, value if wanted is None else build(wanted, value))
    except BaseException as error:  # noqa: BLE001 - what is no failure is raised again
        return _left(run, error, live, scope.path)
    finally:
        run.live.pop(scope.path, None)
        if timer is not None:
            timer.cancel()


def _left(run: RunCore, error: BaseException, live: Live, path: str) -> Outcome:
    """Return the outcome of a body that was left with an error.

    Raises:
        BaseException: What is no business of the workflow's.
    """
    if isinstance(error, asyncio.CancelledError):
        if run.is_parking:
            raise error
        return _ended_by(error, live, path, is_stopped=live.is_interrupted)
    if (broken := _not_of_the_work(error)) is not None:
        raise broken
    if run.phase == UNWINDING:
        raise asyncio.CancelledError from error
    return _ended_by(error, live, path, is_stopped=run.is_told_to_stop(live))


def _not_of_the_work(error: BaseException) -> BaseException | None:
    """Return what must pass through a scope: of the engine or the replay, also out of a `TaskGroup`."""
    own = _own_error(error)
    if own is not None and not isinstance(own, RunError | UsageError):
        return own
    return None if own is not None or is_of_workflow(error) else error


def _own_error(error: BaseException) -> MaestriError | None:
    """Return an error of ours, or one that a group holds; what is no failure of the work comes first."""
    if isinstance(error, MaestriError):
        return error
    if not isinstance(error, BaseExceptionGroup):
        return None
    found = [own for one in error.exceptions if (own := _own_error(one)) is not None]
    broken = [own for own in found if not isinstance(own, RunError | UsageError)]
    return next(iter([*broken, *found]), None)


def _ended_by(error: BaseException, live: Live, path: str, *, is_stopped: bool) -> Outcome:
    """Return the outcome of a body that raised; while it is being stopped, whatever it says is that."""
    if live.take_back() and live.stopping is not None:
        return Outcome(error=stopped_error(path, live.stopping), stop=live.stopping)
    if is_stopped:
        return Outcome(error=error if isinstance(error, asyncio.CancelledError) else asyncio.CancelledError())
    return Outcome(error=as_run_error(error, path))


def _time_is_up(run: RunCore, live: Live, timeout_s: float) -> None:
    run.has_stops = True
    if live.stop(Stop(LIMIT, limit_s=timeout_s)):
        run.on_wake()


def stopped_error(path: str, why: Stop) -> RunError:
    """Return the error of a scope that was stopped by its time limit or by a request."""
    if why.kind == REQUEST:
        return cancelled_error(path, why.words)
    what = "the run" if path == ROOT else f"`{path}`"
    error = Timeout(f"{what} took longer than {why.limit_s:g} s", path=path, fix="raise its `timeout`")
    error.origins = (path,)
    return error


def as_run_error(error: BaseException, path: str) -> RunError:
    """Return the error as one of the run, with the paths it came from."""
    own = _own_error(error)
    if isinstance(error, RunError):
        found: RunError = error
        found.path = found.path or path
    elif own is not None:
        found = StepFailed(own.message, path=own.path or path, cause=own.cause or place_of(own), fix=own.fix)
    else:
        fix = "mend the workflow's code, then resume the run"
        found = StepFailed(f"{type(error).__name__}: {error}", path=path, cause=place_of(error), fix=fix)
    if found is not error:
        found.__cause__ = error
    found.origins = found.origins or tuple(dict.fromkeys([*_wrapped(error), path]))
    return found


def _wrapped(error: BaseException) -> list[str]:
    """Return where the failures came from that an error was raised for, or that an ExceptionGroup holds.

    Without them a resume would find those failures on record again and never get past them.
    """
    found: list[str] = []
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, RunError) and one.origins:
            found += one.origins
            continue
        waiting += [one.__cause__, None if one.__suppress_context__ else one.__context__]
        waiting += one.exceptions if isinstance(one, BaseExceptionGroup) else ()
    return found


def failure_body(error: RunError, scope: Closable) -> str:
    """Return the body of the event for a scope or a run that failed."""
    fields: dict[str, Any] = {"failure": to_failure(error).as_json(), "because": list(error.origins)}
    if scope.failed:
        fields["failed"] = scope.failed
    return codec.encode(fields)
