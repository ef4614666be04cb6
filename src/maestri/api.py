"""The Python door: `@workflow`, `run` and `stream`.

A workflow is an async function of a context and its inputs; it is run with the same engine, and leaves the
same journal, as its twin in YAML.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple, TypeVar, overload

from maestri.errors import UsageError
from maestri.kernel.codec import decode
from maestri.kernel.events import Event, Stored
from maestri.patterns.workflow import MARK
from maestri.project import Loaded, Project

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


class Meta(NamedTuple):
    """What `@workflow` says of a function."""

    name: str
    version: str = ""
    timeout_s: float | None = None


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
        is_async: bool = inspect.iscoroutinefunction(found)  # a bool, not a guard that narrows the type
        if not is_async or not inspect.signature(found).parameters:
            message = f"`{found.__qualname__}` is no `async def` with a context as its first parameter"
            raise UsageError(message, fix="write `async def f(ctx: maestri.Context, ...)`")
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
        return (await execution.wait()).result()
    finally:
        await project.close()


async def stream(target: str | Callable[..., Awaitable[Any]], /, **inputs: Any) -> AsyncIterator[Stored]:
    """Run a workflow and give its events as they are stored; the last one is how it ended.

    Leaving the iteration early cancels the run.
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
                await execution.cancel()
                await waiting
    finally:
        await project.close()


def stored(event: Event) -> Stored:
    """Return an event that was just written as it would be read."""
    return Stored(*event[:5], decode(event.body), event.seq)


def _ready(
    project: Project, target: str | Callable[..., Awaitable[Any]], inputs: dict[str, Any]
) -> tuple[Loaded, dict[str, Any]]:
    """Return a definition and its checked inputs."""
    loaded = project.load(target) if isinstance(target, str) else project.of_function(target)
    return loaded, project.inputs_for(loaded, inputs)
