"""Run steps in order; each sees the outputs before it.

Shape:    a ── b ── c
Journal:  <name>/<step>, and one seal for <name>
Cost:     the sum of its steps; one flush a step
When:     each step builds on the one before it, or the order matters for another reason
Not:      the steps do not need each other, so that they only wait: `parallel`
Source:   sequential pipeline: seed documents 0.1, 1.1, 2.2, 3.1; pipes and filters (Buschmann et al. 1996)
"""

from __future__ import annotations

from typing import TypeVar

from maestri.kernel.body import Body
from maestri.kernel.context import Context
from maestri.patterns._registry import pattern

T = TypeVar("T")


@pattern("steps")
async def sequence(ctx: Context, name: str, steps: Body[T]) -> T:
    """Run a body in a scope of its own.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        steps: What to run.

    Returns:
        The output of the body: that of its last step.
    """
    return await ctx.scope(name, steps, pattern="steps")
