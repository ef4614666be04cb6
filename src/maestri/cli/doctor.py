"""`maestri doctor`: whether this machine has what runs need, one line a finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from maestri.cli import exits
from maestri.cli.health import OK, PROBLEM, WARNING, Finding, examine
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser
from maestri.project import Project
from maestri.report.outline import BAD, DIM, GOOD, WAIT
from maestri.report.wording import clean, one_line

_STYLES: Final = {OK: GOOD, WARNING: WAIT, PROBLEM: BAD}


def _arguments(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="as a JSON document")


def _act(options: Any, terminal: Terminal) -> int:
    found = examine(Project(state=options.state))
    if options.json:
        terminal.say_json([one._asdict() for one in found], indent=2)
    else:
        terminal.say(text(found, terminal))
    return exits.FAILED if any(one.state == PROBLEM for one in found) else exits.SUCCEEDED


def text(found: Sequence[Finding], terminal: Terminal) -> str:
    """Return the findings as lines; what is to be done stands below."""
    lines = []
    for one in found:
        word = terminal.style(f"{one.state:<7}", _STYLES[one.state])
        lines.append(f"{word}  {one.what:<12}  {one_line(one.words)}")
        if one.fix:
            lines.append(terminal.style(f"{'':9}{'':14}fix: {clean(one.fix)}", DIM))
    return "\n".join(lines)


command = Command(_arguments, _act)
