"""`maestri unblock`: settle what blocks a step: a blocker that it has reported, or a handoff not met."""

from __future__ import annotations

from typing import Any

from maestri.cli import exits
from maestri.cli.post import open_run, tell_posted
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser
from maestri.errors import PathNotFound
from maestri.kernel.path import ROOT, is_within, parse
from maestri.patterns.checked import ACCEPT, RECHECK
from maestri.project import Project
from maestri.report.reading import read_tree


def _arguments(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run")
    parser.add_argument(
        "path", metavar="PATH", nargs="?", default=ROOT, help="the step (default: all that are blocked)"
    )
    parser.add_argument(
        "--accept", action="store_true", help="accept a handoff as it is, unmet items and all"
    )
    parser.add_argument(
        "--note", metavar="TEXT", default="", help="what the step is told: a step that waits reads it"
    )


def _act(options: Any, terminal: Terminal) -> int:
    project = Project(state=options.state)
    run = open_run(project, options.run)
    path = parse(options.path)
    reader = project.reader(run)
    try:
        waits = read_tree(reader).waits
    finally:
        reader.close()
    here = {one: wait for one, wait in waits.items() if is_within(one, path)}
    handoffs = [one for one, wait in here.items() if RECHECK in (wait.options or ())]
    holds = {one: wait.hold for one, wait in here.items() if wait.hold}
    if not handoffs and not holds:
        message = "nothing is blocked here by a report or by a handoff"
        fix = f"see what the run waits for with `maestri show {run.name}`"
        raise PathNotFound(message, fix=fix, run=run.name, path=path)
    for one in handoffs:
        project.post(run, "answer", {"path": one, "value": ACCEPT if options.accept else RECHECK})
    for one, hold in holds.items():
        project.post(run, "unblock", {"path": one, "hold": hold, "note": options.note})
    tell_posted(terminal, run, "the word")
    return exits.SUCCEEDED


command = Command(_arguments, _act)
