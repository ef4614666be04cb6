"""`maestri cancel`: cancel a run, or a step of it, on the record."""

from __future__ import annotations

import asyncio
from typing import Any

from maestri.cli import exits
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser
from maestri.errors import RunEnded
from maestri.kernel.path import ROOT, parse
from maestri.kernel.ports import RunInfo
from maestri.project import Project
from maestri.report.wording import one_line


def _arguments(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run")
    parser.add_argument("path", metavar="PATH", nargs="?", default=ROOT, help="only this step or scope")


def _act(options: Any, terminal: Terminal) -> int:
    project = Project(state=options.state)
    run = project.find(options.run)
    if run.end is not None:
        message = f"run {run.name} has ended already"
        raise RunEnded(message, fix=f"see what came of it with `maestri show {run.name}`", run=run.name)
    terminal.say(one_line(asyncio.run(_cancel(project, run, parse(options.path)))))
    return exits.SUCCEEDED


async def _cancel(project: Project, run: RunInfo, path: str) -> str:
    try:
        return await project.cancel(run, path)
    finally:
        await project.close()


command = Command(_arguments, _act)
