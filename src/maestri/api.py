"""The Python door: `@workflow`, `run` and `stream`.

A workflow is an async function of a context and its inputs; it is run with the same engine, and leaves the
same journal, as its twin in YAML.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar, overload

from maestri.errors import DefinitionError, MaestriError, PathNotFound
from maestri.kernel.codec import decode
from maestri.kernel.events import Event, Stored
from maestri.kernel.runner import Execution
from maestri.patterns.workflow import MARK, Meta
from maestri.project import Loaded, Project
from maestri.project.python_files import refuse_other

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


@overload
def workflow(function: F) -> F: ...
@overload
def workflow(
    *, name: str | None = None, version: str = "", timeout_s: float | None = None
) -> Callable[[F], F]: ...


def workflow(
    function: F | None = None, *, name: str | None = None, version: str = "", timeout_s: float | None = None
) -> F | Callable[[F], F]:
    """Make an async function of a context a workflow; it stays the function that it is.

    Args:
        function: `async def f(ctx, ...)`; the parameters after the context are the inputs.
        name: Its name; the function's, with `-` for `_`, without it.
        version: Recorded with each run.
        timeout_s: The longest time for a run, counted from its start or its last resume.

    Raises:
        UsageError: It is no async function, or takes no context.
    """

    def mark(found: F) -> F:
        refuse_other(found)
        setattr(found, MARK, Meta(name or found.__name__.replace("_", "-"), version, timeout_s))
        return found

    return mark if function is None else mark(function)


async def run(target: str | Callable[..., Awaitable[Any]], /, **inputs: Any) -> Any:
    """Run a workflow to its end and return its output.

    Args:
        target: A workflow function, or what `maestri run` takes: a file, or `module:function`.
        inputs: Its inputs.

    Raises:
        DefinitionError: The definition or an input is wrong; nothing has run.
        RunError: The run failed, was cancelled, or waits for a person.
    """
    project = Project()
    try:
        execution = await project.start(*_ready(project, target, inputs))
        try:
            return (await execution.wait()).result()
        except asyncio.CancelledError:
            await _left(execution)
            raise
    except MaestriError as error:
        _explain(error)
        raise
    finally:
        await project.close()


async def stream(target: str | Callable[..., Awaitable[Any]], /, **inputs: Any) -> AsyncIterator[Stored]:
    """Run a workflow and give its events as they are stored; the last one is how it ended.

    An event says what it is with `kind_name` (`step.succeeded`), what of with `path`, and the rest in `body`.
    Leaving the iteration early cancels the run.

    Raises:
        DefinitionError: The definition or an input is wrong; nothing has run.
    """
    project = Project()
    queue: asyncio.Queue[Stored | None] = asyncio.Queue()

    def take(_run: str, events: Any) -> None:
        for event in events:
            queue.put_nowait(stored(event))

    try:
        project.watch(take, lambda _run, _notice: None)
        execution = await project.start(*_ready(project, target, inputs))
        waiting = asyncio.ensure_future(execution.wait())
        waiting.add_done_callback(lambda _done: queue.put_nowait(None))
        try:
            while (event := await queue.get()) is not None:
                yield event
            waiting.result()
        finally:
            if not waiting.done():
                waiting.cancel()
                await _left(execution)
    except MaestriError as error:
        _explain(error)
        raise
    finally:
        await project.close()


async def _left(execution: Execution) -> None:
    """Cancel a run that nobody follows any more, and wait for its end.

    Who leaves is often the end of the event loop, which cancels everything at once and this too: the journal
    must stay open all the same until the run has said its last word.
    """
    with suppress(PathNotFound):  # it is at its end already
        await execution.cancel()
    over = asyncio.ensure_future(execution.over())
    while not over.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(over)
        if over.cancelled():
            over = asyncio.ensure_future(execution.over())


def _explain(error: MaestriError) -> None:
    """Add what the message alone does not say to what Python prints of an error that nobody catches."""
    if isinstance(error, DefinitionError):
        return  # its text is all of its findings
    for word, text in (("run", error.run), ("at", error.path), ("cause", error.cause), ("fix", error.fix)):
        if text:
            error.add_note(f"  {word}: {text}")


def stored(event: Event) -> Stored:
    """Return an event that was just written as it would be read."""
    return Stored(*event[:5], decode(event.body), event.seq)


def _ready(
    project: Project, target: str | Callable[..., Awaitable[Any]], inputs: dict[str, Any]
) -> tuple[Loaded, dict[str, Any]]:
    """Return a definition and its checked inputs."""
    loaded = project.load(target) if isinstance(target, str) else project.of_function(target)
    return loaded, project.inputs_for(loaded, inputs)
