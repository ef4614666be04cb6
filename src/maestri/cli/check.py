"""`maestri check`: everything that is wrong with definitions, without running anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maestri import __version__
from maestri.cli import exits
from maestri.cli.executing import foreign_arguments
from maestri.cli.sarif import sarif
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser
from maestri.errors import DefinitionError, Diagnostic, MaestriError
from maestri.project import Project
from maestri.report.wording import clean, counted, one_line


def _arguments(parser: Parser) -> None:
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="a definition: flow.yaml, flow.py, module:function"
    )
    parser.add_argument("--format", choices=["text", "json", "sarif"], default="text", help="default: text")
    foreign_arguments(parser)


def _act(options: Any, terminal: Terminal) -> int:
    if options.format != "text":
        terminal.keep_out()
    found = findings(
        Project(state=options.state, default_agent=options.default_agent, dialect=options.dialect),
        options.files,
    )
    is_wrong = any(one.severity == "error" for one in found)
    if options.format == "json":
        document = {"status": "error" if is_wrong else "ok", "diagnostics": [one.as_json() for one in found]}
        terminal.say_json(document, indent=2)
    elif options.format == "sarif":
        terminal.say_json(sarif(found, __version__), indent=2)
    else:
        terminal.say(_text(found, options.files))
    return exits.WRONG if is_wrong else exits.SUCCEEDED


def findings(project: Project, files: Sequence[str]) -> list[Diagnostic]:
    """Return what is wrong with definitions; a file that cannot be read is a finding like others."""
    try:
        return project.check(files)
    except DefinitionError as error:
        return error.diagnostics
    except MaestriError as error:
        return [error.diagnostic]


def _text(found: Sequence[Diagnostic], files: Sequence[str]) -> str:
    if not found:
        return "\n".join(f"{one_line(file)}: nothing found" for file in files)
    errors = sum(one.severity == "error" for one in found)
    ending = f"{counted(errors, 'error')}, {counted(len(found) - errors, 'warning')}"
    return "\n\n".join([*(clean(one.text()) for one in found), ending])


command = Command(_arguments, _act)
