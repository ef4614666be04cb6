"""`maestri run`: start a workflow and follow it to its end."""

from __future__ import annotations

from typing import Any

from maestri.cli.executing import execute, execution_arguments, foreign_arguments
from maestri.cli.foreground import Way, follow
from maestri.cli.terminal import Terminal
from maestri.cli.usage import BadArguments, Command, Parser
from maestri.project import CommandLine, Project
from maestri.project.given import read_inputs
from maestri.report.wording import clean, one_line
from maestri.values import Json


def _arguments(parser: Parser) -> None:
    parser.add_argument(
        "file", metavar="FILE", help="flow.yaml, flow.py, flow.py:function or module:function"
    )
    parser.add_argument(
        "-i",
        "--input",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="an input; its type is that of the definition",
    )
    parser.add_argument(
        "--input-file",
        metavar="FILE",
        help="inputs as a JSON object, `-`: from standard input; `-i` goes over them",
    )
    parser.add_argument(
        "--durability",
        choices=["power-safe", "kill-safe"],
        default="power-safe",
        help="what a finished step survives (default: power-safe); kill-safe is faster",
    )
    foreign_arguments(parser)
    execution_arguments(parser)


def _act(options: Any, terminal: Terminal) -> int:
    words = given(options.input, options.input_file)  # here: a detached process has no standard input

    def go(way: Way, inner: Terminal) -> int:
        project = Project(
            state=options.state,
            durability=options.durability,
            default_agent=options.default_agent,
            dialect=options.dialect,
        )
        project.unsafe_no_sandbox = options.unsafe_no_sandbox
        loaded = project.load(options.file)
        for found in loaded.warnings:
            inner.tell(clean(found.text()))
        inputs = project.inputs_for(loaded, words)
        return follow(project, inner, way, lambda opened: opened.start(loaded, inputs))

    return execute(options, terminal, go)


def given(pairs: list[str], file: str | None) -> dict[str, Json | CommandLine]:
    """Return the inputs of a command line: those of a file, and over them the pairs.

    Raises:
        BadArguments: A pair is not `NAME=VALUE`, or names what another one has named.
        ConfigError: The file cannot be read.
    """
    found: dict[str, Json | CommandLine] = {}
    for pair in pairs:
        name, mark, text = pair.partition("=")
        if not mark or not name:
            message = f"`{one_line(pair)}` is not an input"
            raise BadArguments(message, fix="write it as `-i NAME=VALUE`")
        if name in found:
            message = f"the input `{one_line(name)}` is given twice"
            raise BadArguments(message, fix="give each input once; a list is `-i NAME='[1, 2]'`")
        found[name] = CommandLine(text)
    return {**(read_inputs(file) if file else {}), **found}


command = Command(_arguments, _act)
