"""Starts the commands of steps, each in the sandbox that its step asks for.

Rule 1: a request that asks for a sandbox is never performed without one, unless the user has allowed that.
Rule 2: what was found out about the sandbox goes on record before the command starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maestri.agents.command import Exit, checked
from maestri.agents.orders import Order, run_order
from maestri.agents.process import Processes
from maestri.errors import InputInvalid, LimitExceeded
from maestri.kernel.inside import SANDBOX
from maestri.kernel.isolation import (
    FOLDER,
    Confinement,
    Isolation,
    Placed,
    Sandboxes,
    Unfit,
    isolation_of,
)
from maestri.kernel.ports import Attempt


async def run_isolated(
    sandboxes: Sandboxes,
    processes: Processes,
    request: Mapping[str, Any],
    attempt: Attempt,
    order: Order,
) -> Exit:
    """Run a command to its end, in the sandbox that its request asks for.

    Raises:
        SandboxFailed: It cannot have its sandbox, or has used more than that allows.
        InputInvalid: The request cannot be understood.
        StepFailed: The command cannot be run.
    """
    try:
        isolation = isolation_of(request)
    except Unfit as unfit:
        raise InputInvalid(unfit.message, cause=unfit.cause, fix=unfit.fix) from None
    if isolation is None:
        return await run_order(processes, attempt, order)
    checked(order.argv, order.env, order.cwd)  # what is wrong with the command is said in its own words
    confinement = await sandboxes.confine(isolation, _placed(request, attempt, order))
    if confinement is None:
        text = "without a sandbox, as the command line allowed (`--unsafe-no-sandbox`)"
        attempt.record(SANDBOX, text, {"mechanism": "none", "asked": isolation.profile})
        return await run_order(processes, attempt, order)
    try:
        attempt.record(SANDBOX, _words(confinement, isolation), dict(confinement.about))
        return await _confined(processes, attempt, order, confinement)
    finally:
        confinement.close()


async def _confined(processes: Processes, attempt: Attempt, order: Order, confinement: Confinement) -> Exit:
    seen: list[str] = []

    def look(root: int) -> str:
        found = confinement.look(root)
        if found:
            seen.append(found)
        return found

    interval_s = confinement.interval_s
    watching = None if interval_s is None else (look, interval_s)
    inside = order._replace(argv=confinement.argv, env=confinement.env)
    ended = await run_order(processes, attempt, inside, watching)
    if seen:
        fix = "raise the limit, or give the step less to do"
        raise LimitExceeded(f"the command was ended: {seen[0]}", fix=fix)
    confinement.judge(ended.code, ended.signal, order.said())
    return ended


def _placed(request: Mapping[str, Any], attempt: Attempt, order: Order) -> Placed:
    """Return the command with what it works on: the folder of the run, where it is not given another."""
    folder = str(Path(attempt.cwd, request[FOLDER])) if FOLDER in request else attempt.cwd
    mailbox = attempt.mailbox
    if mailbox is not None:
        mailbox.make()  # the step could not: only what is there can be shown to it
    writable = () if mailbox is None else (mailbox.place,)
    readable = () if mailbox is None else (mailbox.command,)
    return Placed(attempt.run, attempt.path, order.argv, order.env, order.cwd, folder, writable, readable)


def _words(confinement: Confinement, isolation: Isolation) -> str:
    about = confinement.about
    blocked = len(about["blocked"])
    return f"{about['mechanism']}, profile {isolation.profile}: its canary had all {blocked} probes blocked"
