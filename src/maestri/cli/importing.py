"""`maestri import`: write a file of another system as a workflow of ours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from maestri.cli import exits
from maestri.cli.executing import foreign_arguments
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser
from maestri.errors import ConfigError
from maestri.project.foreign import VARIABLE, import_file
from maestri.report.wording import clean, one_line

SCRIPTED = "echo"  # who answers in what is written where nobody else is named


def _arguments(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="a file of another system, YAML or JSON")
    parser.add_argument("-o", "--output", metavar="OUT", help="where to write (default: standard output)")
    foreign_arguments(parser)


def _act(options: Any, terminal: Terminal) -> int:
    default = options.default_agent or os.environ.get(VARIABLE) or SCRIPTED
    text, warnings = import_file(options.file, default, options.dialect)
    for found in warnings:
        terminal.tell(clean(found.text()))
    if options.output is None:
        terminal.say(text.rstrip("\n"))
        return exits.SUCCEEDED
    try:
        Path(options.output).write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{options.output} cannot be written: {error.strerror}"
        raise ConfigError(message, fix="name a file that can be written: `-o OUT`") from error
    terminal.say(f"wrote {one_line(options.output)}")
    return exits.SUCCEEDED


command = Command(_arguments, _act)
