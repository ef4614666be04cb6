"""The fenced blocks of a Markdown page, and the comparison of shown with real output.

What a page may say in the first line of a block, after the language:
`run` (Python: execute it), or the name of a file (write the block there before the next one is run).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_FENCE = re.compile(r"^(?P<indent> *)(?P<mark>`{3,}|~{3,})\s*(?P<info>[^`]*)$")
_FILE = re.compile(r"[A-Za-z0-9_.-]+\.[a-z]+\Z")


class Block(NamedTuple):
    """One fenced block; `line` is where its text begins, from 1."""

    page: Path
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    @property
    def file(self) -> str:
        """The name of the file that the block is to be written to, or an empty text."""
        return next((word for word in self.words if _FILE.match(word)), "")


class Shown(NamedTuple):
    """A command of a console block, and the output that the page shows for it."""

    line: int
    command: str
    output: str


def blocks(page: Path, text: str) -> list[Block]:
    """Return the fenced blocks of a page in order.

    Raises:
        ValueError: A block is not closed.
    """
    found: list[Block] = []
    inside: re.Match[str] | None = None
    start, body = 0, list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        mark = _FENCE.match(line)
        if inside is None:
            if mark:
                inside, start, body = mark, number + 1, []
        elif mark and mark["mark"].startswith(inside["mark"]) and not mark["info"].strip():
            language, *words = inside["info"].split() or [""]
            found.append(Block(page, start, language, tuple(words), "".join(f"{part}\n" for part in body)))
            inside = None
        else:
            indent = len(inside["indent"])  # a block in a list is indented as a whole
            body.append(line[indent:] if not line[:indent].strip() else line)
    if inside is not None:
        raise ValueError(f"{page}:{start - 1}: this block is not closed")
    return found


def commands(block: Block) -> list[Shown]:
    """Return the `$ ` commands of a console block; a line that ends in a backslash goes on (`> `)."""
    found: list[Shown] = []
    for number, line in enumerate(block.text.splitlines(), start=block.line):
        if line.startswith("$ "):
            found.append(Shown(number, line[2:], ""))
        elif found and found[-1].command.endswith("\\") and not found[-1].output:
            more = line.removeprefix("> ")
            found[-1] = found[-1]._replace(command=f"{found[-1].command[:-1]}{more}")
        elif found:
            found[-1] = found[-1]._replace(output=f"{found[-1].output}{line}\n")
    return found


def matches(shown: str, real: str) -> bool:
    """Tell whether output is as shown: `...` stands for any text, alone in its line for any lines.

    Spaces at the ends of lines and empty lines at both ends do not count.
    """
    shown_lines = [line.rstrip() for line in shown.strip("\n").splitlines()]
    parts = []
    for line in shown_lines:
        if line.strip() == "...":
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append(r"[^\n]*?".join(re.escape(piece) for piece in line.split("...")) + r"\n")
    text = "".join(f"{line.rstrip()}\n" for line in real.strip("\n").splitlines())
    return re.fullmatch("".join(parts), text) is not None
