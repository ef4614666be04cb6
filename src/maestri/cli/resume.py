"""`maestri resume`: go on with a run that stopped."""

from __future__ import annotations

from typing import Any

from maestri.cli.executing import execute, execution_arguments
from maestri.cli.foreground import Way, follow
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser
from maestri.project import Project


def _arguments(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run")
    parser.add_argument(
        "--recorded",
        action="store_true",
        help="go on with the definition as it was, although its file has changed",
    )
    execution_arguments(parser)


def _act(options: Any, terminal: Terminal) -> int:
    def go(way: Way, inner: Terminal) -> int:
        project = Project(state=options.state)
        run = project.find(options.run)
        return follow(project, inner, way, lambda opened: opened.resume(run, recorded=options.recorded), run)

    return execute(options, terminal, go)


command = Command(_arguments, _act)
