"""Take the first arm whose `when` holds, else the one without `when`.

Shape:         ┌─ a (when …)
          ─────┼─ b (when …)      one of them
               └─ c
Journal:  <name>/<arm>, and one seal for <name>
Cost:     the chosen arm
When:     what is to be done depends on what is known by then: risk, size, the kind of a request
Not:      all ways are taken: `parallel`; it is about one step: `when` on that step
Source:   conditional branching: seed documents 0.3, 1.3, 2.7; exclusive choice (van der Aalst et al. 2003)
"""

from __future__ import annotations

from typing import Any

from maestri.kernel.context import Context
from maestri.patterns._registry import Arms, pattern


@pattern("branch")
async def branch(ctx: Context, name: str, arms: Arms) -> Any:
    """Choose one arm.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        arms: The arms by name, in the order in which they are tried.

    Returns:
        The output of the chosen arm; None if no arm holds and there is no other.
    """

    async def inside(scope: Context) -> Any:
        for arm, choice in arms.items():
            if choice.when is None or choice.when():
                return await scope.scope(arm, choice.body)
        return None

    return await ctx.scope(name, inside, pattern="branch")
