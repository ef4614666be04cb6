"""`maestri unblock`: have a handoff that is not met checked again, or accept it as it is."""

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
        "path", metavar="PATH", nargs="?", default=ROOT, help="the step (default: all that wait)"
    )
    parser.add_argument("--accept", action="store_true", help="accept it as it is, unmet items and all")


def _act(options: Any, terminal: Terminal) -> int:
    project = Project(state=options.state)
    run = open_run(project, options.run)
    path = parse(options.path)
    reader = project.reader(run)
    try:
        waits = read_tree(reader).waits
    finally:
        reader.close()
    blocked = [one for one, wait in waits.items() if RECHECK in (wait.options or ()) and is_within(one, path)]
    if not blocked:
        message = "no handoff waits to be met here"
        fix = f"see what the run waits for with `maestri show {run.name}`"
        raise PathNotFound(message, fix=fix, run=run.name, path=path)
    for one in blocked:
        project.post(run, "answer", {"path": one, "value": ACCEPT if options.accept else RECHECK})
    tell_posted(terminal, run, "the word")
    return exits.SUCCEEDED


command = Command(_arguments, _act)
