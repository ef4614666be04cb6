"""The agent behind `call`: a Python function of this process.

Rule 1: an async function runs on the event loop. Any other runs in a thread of its own, so that it does not
    hold up the loop. A thread cannot be interrupted: after a cancel or a time limit it runs on to its end,
    and its answer is dropped. What must stop at once belongs into an async function or a command.
Rule 2: a function is found as `module:name` through `sys.path`; nothing is added to that path here.
"""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import threading
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from maestri.errors import AgentUnavailable, InputInvalid, RunError, StepFailed
from maestri.kernel.ports import Answer, Attempt, Task
from maestri.records import NamedTuple


class PythonAgent:
    """Performs `call` tasks.

    A request is `{"function": "module:name", "args": [...], "kwargs": {...}}`; a task may bring its function
    with it, which is then called without arguments.
    """

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        """Call the function and return what it returns.

        Raises:
            AgentUnavailable: The module cannot be imported or has no such function.
            StepFailed: The function raised; a `RunError` of its own comes through as it is.
        """
        if task.function is not None:
            return Answer(await _called(task.function, (), {}))
        function = await _in_thread(lambda: found(task.request.get("function")))
        args, kwargs = task.request.get("args", ()), task.request.get("kwargs", {})
        return Answer(await _called(function, args, kwargs))

    async def close(self) -> None:
        """Do nothing: nothing is kept between calls."""


def found(name: Any) -> Callable[..., Any]:
    """Return the function of a `module:name`.

    Raises:
        InputInvalid: The text is not of that form.
        AgentUnavailable: There is no such function, or its module cannot be imported.
    """
    module_name, mark, qualname = name.partition(":") if isinstance(name, str) else ("", "", "")
    if not (module_name and mark and qualname):
        raise InputInvalid(f"`{name}` does not name a function", fix="write `module:function`")
    try:
        place: Any = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise _not_imported(module_name, error) from error
    for part in qualname.split("."):
        try:
            place = getattr(place, part)
        except AttributeError as error:
            message = f"the module `{module_name}` has no `{qualname}`"
            raise AgentUnavailable(message, fix="correct the name, or define it there") from error
    if not callable(place):
        message = f"`{name}` is not a function but {type(place).__name__}"
        raise AgentUnavailable(message, fix="name a function")
    return place  # type: ignore[no-any-return]


def _not_imported(module: str, error: BaseException) -> AgentUnavailable:
    if isinstance(error, ModuleNotFoundError) and error.name and f"{module}.".startswith(f"{error.name}."):
        message = f"the module `{module}` is not found"
        return AgentUnavailable(message, fix="correct its name, install it, or put it beside the workflow")
    message = f"the module `{module}` cannot be imported: {type(error).__name__}: {error}"
    return AgentUnavailable(message, fix="import it in a Python shell and mend what it says")


async def _called(function: Callable[..., Any], args: Any, kwargs: Mapping[str, Any]) -> Any:
    try:
        if asyncio.iscoroutinefunction(function):
            return await function(*args, **kwargs)
        value = await _in_thread(lambda: function(*args, **kwargs))
        return await value if isinstance(value, Awaitable) else value
    except RunError:
        raise
    except (Exception, SystemExit) as error:
        raise _step_failed(error) from error


def _step_failed(error: BaseException) -> StepFailed:
    name = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    detail: dict[str, Any] = {"exception": name}
    if frames:
        detail["at"] = f"{frames[-1].filename}:{frames[-1].lineno}"
        detail["function"] = frames[-1].name
    words = str(error)
    return StepFailed(f"{name}: {words}" if words else name, fix="mend the function", detail=detail)


class _Outcome(NamedTuple):
    value: Any = None
    error: BaseException | None = None


async def _in_thread(function: Callable[[], Any]) -> Any:
    """Return what a function returns that runs in a thread of its own.

    The thread is a daemon: one that outlives its cancelled step must not hold up the end of the process.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[_Outcome] = loop.create_future()
    context = contextvars.copy_context()

    def work() -> None:
        try:
            made = _Outcome(context.run(function))
        except BaseException as error:  # noqa: BLE001 - handed over to the one who waits
            made = _Outcome(error=error)
        try:
            loop.call_soon_threadsafe(_give, outcome, made)
        except RuntimeError:  # the loop has ended, nobody waits any more
            return

    threading.Thread(target=work, name="maestri-call", daemon=True).start()
    made = await outcome
    if made.error is not None:
        raise made.error
    return made.value


def _give(outcome: asyncio.Future[_Outcome], made: _Outcome) -> None:
    if not outcome.done():
        outcome.set_result(made)
