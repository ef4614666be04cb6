"""Asks the person at the terminal what a run asks."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

from maestri.cli.main import FITTED, resolve
from maestri.cli.terminal import Terminal
from maestri.records import NamedTuple
from maestri.report.outline import BOLD
from maestri.report.tree import Wait
from maestri.report.wording import clean, one_line
from maestri.values import Json

_MOMENT_S = 0.2


class Typed(NamedTuple):
    """What a person has typed, as the answer that it stands for; `problem` says why it is none."""

    value: Json = None
    problem: str = ""


def ask(terminal: Terminal, path: str, wait: Wait) -> Typed | None:
    """Return the answer to a question, an option by its text or number; None at the end of the input."""
    put(terminal, path, wait)
    while True:
        terminal.prompt("> ")
        line = sys.stdin.readline()
        if not line:
            return None
        typed = answer(line.strip(), wait)
        if not typed.problem:
            return typed
        terminal.say(typed.problem)


async def ask_until(terminal: Terminal, path: str, wait: Wait, is_over: Callable[[], bool]) -> Typed | None:
    """Return the answer to a question as `ask` does; None also when it is asked no longer.

    Meanwhile the event loop goes on: the run may give up waiting, or hear the answer from elsewhere.
    """
    put(terminal, path, wait)
    loop, typed_line = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), typed_line.set)
    try:
        terminal.prompt("> ")
        while not is_over():
            if not await _is_set(typed_line):
                continue
            typed_line.clear()
            line = sys.stdin.readline()
            if not line:
                return None
            typed = answer(line.strip(), wait)
            if not typed.problem:
                return typed
            terminal.say(typed.problem)
            terminal.prompt("> ")
    finally:
        loop.remove_reader(sys.stdin.fileno())
    terminal.say("\nthis is asked no longer")
    return None


async def _is_set(event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(_MOMENT_S):
            return await event.wait()
    except TimeoutError:
        return False


def put(terminal: Terminal, path: str, wait: Wait) -> None:
    """Show a question with its options."""
    terminal.say(f"\n{terminal.style(one_line(path), BOLD)} asks:\n{clean(wait.question)}")
    for number, option in enumerate(wait.options, start=1):
        terminal.say(f"  {number}  {one_line(option)}")


def answer(text: str, wait: Wait) -> Typed:
    """Return the answer that a typed text stands for."""
    if wait.schema is not None and text:
        value, problems = resolve(FITTED)(text, wait.schema)
        return Typed(value, one_line("; ".join(problems)))
    chosen = choice(text, wait.options)
    if chosen is None:
        return Typed(None, "type one of the options, or its number" if wait.options else "type an answer")
    return Typed(chosen)


def choice(text: str, options: tuple[str, ...]) -> str | None:
    """Return the answer that a typed text stands for; None where it is no option, or empty."""
    if not options or text in options:
        return text or None
    if text.isascii() and text.isdigit() and 1 <= int(text) <= len(options):
        return options[int(text) - 1]
    return None
