"""`maestri resume`: go on with a run that stopped."""

from __future__ import annotations

from typing import Any

from maestri.cli.executing import execute, execution_arguments
from maestri.cli.foreground import Way, follow
from maestri.cli.terminal import Terminal
from maestri.cli.usage import BadArguments, Command, Parser
from maestri.kernel.runner import Execution
from maestri.project import Project


def _arguments(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run")
    parser.add_argument(
        "--recorded",
        action="store_true",
        help="go on with the definition as it was, although its file has changed",
    )
    parser.add_argument(
        "--as",
        metavar="FILE",
        dest="twin",
        help="go on with another definition that asks for the same steps, like the Python twin of YAML",
    )
    execution_arguments(parser)


def _act(options: Any, terminal: Terminal) -> int:
    if options.twin is not None and options.recorded:
        raise BadArguments("`--as` and `--recorded` exclude each other", fix="give one of them")

    def go(way: Way, inner: Terminal) -> int:
        project = Project(state=options.state)
        project.unsafe_no_sandbox = options.unsafe_no_sandbox
        run = project.find(options.run)
        twin = None if options.twin is None else project.load(options.twin)

        async def begin(opened: Project) -> Execution:
            return await opened.resume(run, recorded=options.recorded, as_=twin)

        return follow(project, inner, way, begin, run, begin if twin is not None else None)

    return execute(options, terminal, go)


command = Command(_arguments, _act)
