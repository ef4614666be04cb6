"""Hand an event to the handler of its type.

Shape:         ┌─ handler a
          event┼─ handler b      one of them
               └─ otherwise
Journal:  <name>/<handler>, and one seal for <name>
Cost:     the chosen handler
When:     one event has come, and its type says what is to be done
Not:      the choice depends on more than its type: `branch`; more events will come: `on`
Source:   event-driven: seed document 1.6; content-based router (Hohpe and Woolf, "Enterprise Integration
          Patterns", 2003)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from maestri.errors import InputInvalid, UnhandledEvent
from maestri.kernel.context import Context
from maestri.kernel.typed import to_plain
from maestri.patterns._registry import Binds, BoundBodies, BoundBody, Value, bind, pattern

OTHERWISE = "otherwise"


@pattern("route")
async def route(
    ctx: Context,
    name: str,
    event: Value,
    handlers: Annotated[BoundBodies, Binds(("event",))],
    *,
    by: str = "type",
    otherwise: Annotated[BoundBody, Binds(("event",))] | None = None,
) -> Any:
    """Pick the handler of an event.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        event: What has happened: a mapping with its type in the field `by`, or a text that is the type.
        handlers: The bodies by type, each with `event`.
        by: The field that holds the type.
        otherwise: A body for all other events, with `event`.

    Returns:
        The output of the handler.

    Raises:
        UnhandledEvent: No handler is for the event, and there is no `otherwise`. The event is in its detail.
        InputInvalid: A handler is called `otherwise`.
    """
    if OTHERWISE in handlers:
        message = "a handler cannot be called `otherwise`"
        error = InputInvalid(message, fix="give the body that takes all other events as `otherwise`")
        return await ctx.refuse(name, error)

    async def inside(scope: Context) -> Any:
        found = type_of(event, by)
        if found in handlers:
            return await scope.scope(found, bind(handlers[found], event))
        if otherwise is not None:
            return await scope.scope(OTHERWISE, bind(otherwise, event))
        raise unhandled(event, by, found, handlers)

    return await ctx.scope(name, inside, pattern="route")


def type_of(event: Any, by: str) -> str:
    """Return the type of an event; an empty text where it has none."""
    found = event.get(by) if isinstance(event, Mapping) else event
    return found if isinstance(found, str) else ""


def unhandled(event: Any, by: str, found: str, handlers: Mapping[str, Any]) -> UnhandledEvent:
    """Return the error for an event that no handler is for."""
    message = (
        f"no handler is for the event `{found[:80]}`" if found else f"the event has no text as its `{by}`"
    )
    known = ", ".join(f"`{one}`" for one in handlers) or "none"
    return UnhandledEvent(
        message,
        cause=f"there are handlers for: {known}; the event is {to_plain(event)!r:.300}",
        fix="add a handler of that name, or `otherwise:` for all other events; then resume the run",
        detail={"event": to_plain(event)},
    )
