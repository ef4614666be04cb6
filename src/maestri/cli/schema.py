"""`maestri schema`: the JSON Schema of definitions, for editors."""

from __future__ import annotations

from typing import Any

from maestri.cli import exits
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser
from maestri.lang.schema import schema
from maestri.project import Project


def _arguments(_parser: Parser) -> None:
    pass


def _act(options: Any, terminal: Terminal) -> int:
    terminal.say_json(schema(Project(state=options.state).patterns), indent=2)
    return exits.SUCCEEDED


command = Command(_arguments, _act)
