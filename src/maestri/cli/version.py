"""`maestri version`."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from maestri.cli import exits
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser


def _arguments(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="as a JSON document")


def _act(options: Any, terminal: Terminal) -> int:
    if options.json:
        terminal.say_json({"maestri": own_version(), "python": platform.python_version()})
    else:
        terminal.say(f"maestri {own_version()} (Python {platform.python_version()})")
    return exits.SUCCEEDED


def own_version() -> str:
    """Return the version that is installed, or what stands for it in a bare checkout."""
    try:
        return version("maestri")
    except PackageNotFoundError:
        return "0+unknown"


command = Command(_arguments, _act)
