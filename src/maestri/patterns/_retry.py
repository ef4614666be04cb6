"""Repeats a whole pattern when it fails: each attempt is a child scope `try#n`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

from maestri.errors import RunError, to_failure
from maestri.kernel.body import Opening
from maestri.kernel.context import Context
from maestri.kernel.policy import NO_RETRY, Policy, retry_delay_s


async def retrying(
    ctx: Context, name: str, call: Callable[[Context, str], Awaitable[Any]], policy: Policy
) -> Any:
    """Call a pattern in the scope `name`, as `try`, `try#2`, ..., until it succeeds or is given up.

    Raises:
        RunError: The last failure.
    """
    retry = policy.retry or NO_RETRY

    async def tries(scope: Context) -> Any:
        for failures in count(1):
            scope.prepare(Opening(timeout_s=policy.attempt_timeout_s))
            try:
                return await call(scope, "try")
            except RunError as error:
                random = await scope.random("jitter") if retry.max_attempts > failures else 0.0
                delay_s = retry_delay_s(retry, failures, to_failure(error), error.kind, random)
                if delay_s is None:
                    raise
                await scope.sleep(delay_s, "wait")
        return None

    return await ctx.scope(name, tries, pattern="retry", total=retry.max_attempts)
