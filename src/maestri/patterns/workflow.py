"""Call another workflow as one step: the same run, a scope of its own, any depth.

Shape:    ── [ another workflow ] ──
Journal:  <name>/…, the paths of the other workflow below its own name, and one seal for <name>
Cost:     that of the other workflow
When:     a piece that several workflows share, or that is understood better under a name of its own
Not:      it is used once and is short: write its steps where they are
Source:   nested cascades: seed document 0.10; the procedure call
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from maestri.kernel.context import Context
from maestri.patterns._registry import Value, Workflow, pattern
from maestri.records import NamedTuple

MARK = "__maestri_workflow__"  # set by `@maestri.workflow`, to a `Meta`


class Meta(NamedTuple):
    """What `@workflow` says of a function."""

    name: str
    version: str = ""
    timeout_s: float | None = None


@pattern("workflow")
async def workflow(ctx: Context, name: str, workflow: Workflow, *, inputs: Value | None = None) -> Any:
    """Run another workflow in a scope of its own.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        workflow: What to run: a workflow function, or in YAML the name or the file of one.
        inputs: Its inputs by name.

    Returns:
        Its output.
    """
    given: Any = inputs if inputs is not None else {}
    return await ctx.child(name, adapted(workflow), given)


def adapted(function: Callable[..., Awaitable[Any]]) -> Workflow:
    """Return a workflow as a function of a context and its inputs; one of the user's takes them by name."""
    if not hasattr(function, MARK):
        return function

    def by_name(ctx: Context, inputs: Mapping[str, Any]) -> Awaitable[Any]:
        return function(ctx, **inputs)

    by_name.__wrapped__ = function  # type: ignore[attr-defined]  # its output is of the function's type
    return by_name
