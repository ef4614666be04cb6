"""`maestri version`."""

from __future__ import annotations

import platform
from typing import Any

from maestri import __version__
from maestri.cli import exits
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser


def _arguments(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="as a JSON document")


def _act(options: Any, terminal: Terminal) -> int:
    if options.json:
        terminal.say_json({"maestri": __version__, "python": platform.python_version()})
    else:
        terminal.say(f"maestri {__version__} (Python {platform.python_version()})")
    return exits.SUCCEEDED


command = Command(_arguments, _act)
