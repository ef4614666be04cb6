"""Call another workflow as one step: the same run, a scope of its own, any depth.

Shape:    ── [ another workflow ] ──
Journal:  <name>/…, the paths of the other workflow below its own name, and one seal for <name>
Cost:     that of the other workflow
Source:   nested cascades: seed document 0.10; the procedure call
"""

from __future__ import annotations

from typing import Any

from maestri.kernel.context import Context
from maestri.patterns._registry import Value, Workflow, pattern


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
    return await ctx.child(name, workflow, given)
