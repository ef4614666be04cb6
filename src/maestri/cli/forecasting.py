"""`maestri forecast`: which branches will conflict, and which workers are about to."""

from __future__ import annotations

from typing import Any

from maestri.cli import exits
from maestri.cli.main import FORECAST, FORECAST_LIVE, GIT, resolve
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser
from maestri.project import Project
from maestri.report.landed import foretold
from maestri.report.wording import one_line


def _arguments(parser: Parser) -> None:
    parser.add_argument(
        "branches",
        metavar="BRANCH",
        nargs="*",
        help="branches; without any, the workspaces of all runs as their files are now",
    )
    parser.add_argument("--onto", metavar="REV", default="HEAD", help="where they meet (default: HEAD)")
    parser.add_argument("--json", action="store_true", help="as a JSON document")


def _act(options: Any, terminal: Terminal) -> int:
    project = Project(state=options.state)
    git = resolve(GIT)(project.cwd)
    if options.branches:
        found = resolve(FORECAST)(git, options.branches, options.onto)
    else:
        project.state.inspect()
        held, folder = project.workspaces.held(), project.state.workspaces
        found = resolve(FORECAST_LIVE)(git, held, folder, options.onto)
    if options.json:
        terminal.say_json(found)
        return exits.SUCCEEDED
    names = ", ".join(one_line(name) for name in found["branches"])
    terminal.say(f"looked at: {names}" if names else "there is no work in a workspace that has not landed")
    lines = list(foretold(found))
    terminal.say("\n".join(one_line(line) for line in lines) if lines else "forecast: no conflicts")
    return exits.SUCCEEDED


command = Command(_arguments, _act)
