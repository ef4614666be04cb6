"""What a pattern says of itself: the parts of the docstring of its file."""

from __future__ import annotations

import re
from typing import Final

from maestri.patterns._registry import PatternSpec
from maestri.records import NamedTuple
from maestri.report.wording import one_line

_PARTS: Final = ("Shape", "Journal", "Cost", "When", "Not", "Source")
_INDENT: Final = 10  # where the text of a part begins


class Words(NamedTuple):
    """The parts of a pattern's description; a shape has several lines, all others are one."""

    summary: str
    shape: str
    journal: str
    cost: str
    when: str
    avoid: str
    source: str


def words(spec: PatternSpec) -> Words:
    """Return what a pattern says of itself; a part that it does not have is an empty text."""
    found: dict[str, list[str]] = {}
    part = ""
    for line in spec.doc.splitlines()[1:]:
        begins = re.match(rf"({'|'.join(_PARTS)}):(?: |$)", line)
        part = begins[1] if begins else part
        found.setdefault(part, []).append(line[_INDENT:])
    texts = [one_line(" ".join(found.get(part, ()))) for part in _PARTS[1:]]
    journal, cost, when, avoid, source = texts
    return Words(spec.summary, _shape(found.get("Shape", [])), journal, cost, when, avoid, source)


def _shape(lines: list[str]) -> str:
    """Return the lines of a drawing without what is empty around it."""
    kept = [line.rstrip() for line in lines if line.strip()]
    margin = min((len(line) - len(line.lstrip()) for line in kept), default=0)
    return "\n".join(line[margin:] for line in kept)
