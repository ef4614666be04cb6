"""Do the same for every item of a list that is known only at run time, and reduce the results.

Shape:         ┌─ item 1 ─┐
          list ┼─ item 2 ─┼── reduce
               └─ item n ─┘
Journal:  <name>/item#n (n is the item's index from 1), <name>/join when an early end was decided,
          <name>/reduce, and one seal for <name>
Cost:     one body an item, at most `max_concurrent` at once; waiting items cost no task
When:     the same for every item of a list that is known only at run time: batches, files, modules
Not:      the things are few, differ, and are known by name: `parallel`
Source:   map-reduce: seed documents 0.10, 1.7; multiple instances with a priori run-time knowledge (van der
          Aalst et al. 2003); Dean and Ghemawat, "MapReduce" (2004)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from maestri.errors import InputInvalid
from maestri.kernel.context import Context
from maestri.kernel.fan import Entry, Fan
from maestri.patterns._join import NOT_ENDED, Join, again, check_crowd, chosen_before, gather
from maestri.patterns._priority import has_priority, priority_of
from maestri.patterns._registry import Binds, BoundBody, Items, Seconds, bind, pattern


@pattern("each")
async def each(
    ctx: Context,
    name: str,
    items: Items,
    steps: Annotated[BoundBody, Binds(("item", "index"), renamed_by="as")],
    *,
    as_: str = "item",  # noqa: ARG001  - the name under which YAML sees the item
    max_concurrent: int = 16,
    join: Literal["all", "any", "settled"] | int = "settled",
    deadline: Seconds | None = None,
    reduce: Annotated[BoundBody, Binds(("results",))] | None = None,
) -> Any:
    """Map a body over a list.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        items: The list.
        steps: The body of an item, with `item` and `index` (from 1).
        as_: Another name for `item`.
        max_concurrent: How many items may be under way at once.
        join: `settled`: a failed item is isolated and is `{failed: …}` in the results; `all`, `any` or a
            number of items must succeed.
        deadline: After this time no item is waited for any more.
        reduce: A body that makes one output of all, with `results`.

    Returns:
        The outputs in the order of the items, or what `reduce` makes of them.

    Raises:
        JoinFailed: Fewer items succeeded than `join` asks for.
        InputInvalid: `items` is no list, or an option is out of range.
    """
    try:
        _check_items(items)
        check_crowd(len(items), join, max_concurrent)
    except InputInvalid as error:
        return await ctx.refuse(name, error)

    async def mapped(scope: Context) -> list[Any]:
        chosen = await chosen_before(scope)
        wanted = range(1, len(items) + 1) if chosen is None else [number for _, number in chosen]
        policy = Join(join, len(items), deadline) if chosen is None else again(join, chosen)
        async with Fan(scope, max_concurrent, needs_all=join == "all") as fan:
            fan.feed(_entries(items, wanted, steps))
            outputs = await gather(scope, fan, policy)
        if chosen is not None:
            scope.forget(keep="reduce")
        if join == "settled":
            return [outputs.get(("item", number), NOT_ENDED) for number in range(1, len(items) + 1)]
        return [outputs[key] for key in sorted(outputs)]

    async def inside(scope: Context) -> Any:
        results = await mapped(scope)
        if reduce is None:
            return results
        return await scope.scope("reduce", bind(reduce, results))

    return await ctx.scope(name, inside, pattern="each", total=len(items))


def _check_items(items: object) -> None:
    """Refuse what is no list.

    Raises:
        InputInvalid: Says what it is.
    """
    if not isinstance(items, list | tuple):
        message = f"`items` is {type(items).__name__}, not a list"
        raise InputInvalid(message, fix="give a list, or an expression that gives one")


def _entries(items: Items, wanted: range | list[int], steps: BoundBody) -> Iterator[Entry]:
    if has_priority(steps):  # without one, nothing is looked at before there is room for it
        wanted = sorted(wanted, key=lambda number: -priority_of(steps, items[number - 1], number))
    for number in wanted:
        yield Entry("item", number, bind(steps, items[number - 1], number))
