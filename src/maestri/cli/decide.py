"""`maestri retry`, `skip` and `accept`: a person decides about a step, and the run goes on."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from maestri.cli import exits
from maestri.cli.executing import execute, execution_arguments
from maestri.cli.foreground import Way, follow
from maestri.cli.post import json_value
from maestri.cli.show_step import facts_of
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser
from maestri.kernel.path import parse
from maestri.kernel.ports import RunInfo
from maestri.kernel.runner import Execution
from maestri.project import Project
from maestri.report.wording import one_line
from maestri.values import Json


def _arguments(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run")
    parser.add_argument("path", metavar="PATH", help="the step")
    parser.add_argument(
        "--hold", action="store_true", help="only record it; go on later with `maestri resume`"
    )
    execution_arguments(parser)


def _accept_arguments(parser: Parser) -> None:
    _arguments(parser)
    parser.add_argument(
        "--output", metavar="JSON", default="null", help="what counts as its output (default: null)"
    )


def _act(verb: str, options: Any, terminal: Terminal) -> int:
    path = parse(options.path)
    output = json_value(options.output, "--output") if verb == "accept" else None

    def go(way: Way, inner: Terminal) -> int:
        project = Project(state=options.state)
        project.unsafe_no_sandbox = options.unsafe_no_sandbox
        run = project.find(options.run)
        _require(project, run, path)
        if run.alive or options.hold:
            asyncio.run(_record(project, run, verb, path, output))
            if way.json:
                inner.say_json(
                    {"run": run.id, "name": run.name, "status": "recorded", "verb": verb, "path": path}
                )
            else:
                inner.say(_recorded(run, verb, path))
            return exits.SUCCEEDED

        async def begin(opened: Project) -> Execution:
            await opened.direct(run, verb, path, output)
            return await opened.resume(run)

        return follow(project, inner, way, begin, run)

    return execute(options, terminal, go)


def _require(project: Project, run: RunInfo, path: str) -> None:
    """Refuse a path that is no step of the run, before anything of the run is taken back.

    Raises:
        PathNotFound: It is none.
    """
    reader = project.reader(run)
    try:
        facts_of(reader, run, path)
    finally:
        reader.close()


async def _record(project: Project, run: RunInfo, verb: str, path: str, output: Json) -> None:
    try:
        await project.direct(run, verb, path, output)
    finally:
        await project.close()


def _recorded(run: RunInfo, verb: str, path: str) -> str:
    name = one_line(run.name)
    when = "once it has stopped and is resumed" if run.alive else f"when you go on: maestri resume {name}"
    return f"recorded: {verb} {path} of run {name}; it takes effect {when}"


retry = Command(_arguments, partial(_act, "retry"))
skip = Command(_arguments, partial(_act, "skip"))
accept = Command(_accept_arguments, partial(_act, "accept"))
