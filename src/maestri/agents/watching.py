"""Looks at a command while it runs, and ends it when there is too much of something."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from maestri.agents.contained import Contained

# What looks at the tree below a process and says what there is too much of; and how often, in seconds.
Watching: TypeAlias = "tuple[Callable[[int], str], float]"


async def watch(contained: Contained, watching: Watching) -> str:
    """Look again and again; return what there was too much of, or an empty text when the command ends."""
    look, interval_s = watching
    await contained.begun
    loop = asyncio.get_running_loop()
    while contained.root is not None and not contained.exit.done():
        found = await loop.run_in_executor(None, look, contained.root)
        if found:
            contained.kill()
            return found
        await asyncio.wait([contained.exit], timeout=interval_s)
    return ""
