"""Asks the person at the terminal what a run asks."""

from __future__ import annotations

import sys

from maestri.cli.terminal import Terminal
from maestri.report.outline import BOLD
from maestri.report.tree import Wait
from maestri.report.wording import clean, one_line


def ask(terminal: Terminal, path: str, wait: Wait) -> str | None:
    """Return the answer to a question, an option by its text or number; None at the end of the input."""
    terminal.say(f"\n{terminal.style(one_line(path), BOLD)} asks:\n{clean(wait.question)}")
    for number, option in enumerate(wait.options, start=1):
        terminal.say(f"  {number}  {one_line(option)}")
    while True:
        terminal.prompt("> ")
        line = sys.stdin.readline()
        if not line:
            return None
        chosen = choice(line.strip(), wait.options)
        if chosen is not None:
            return chosen
        terminal.say("type one of the options, or its number" if wait.options else "type an answer")


def choice(text: str, options: tuple[str, ...]) -> str | None:
    """Return the answer that a typed text stands for; None where it is no option, or empty."""
    if not options or text in options:
        return text or None
    if text.isascii() and text.isdigit() and 1 <= int(text) <= len(options):
        return options[int(text) - 1]
    return None
