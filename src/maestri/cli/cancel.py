"""`maestri cancel`: cancel a run, or a step of it, on the record; what came of it is told."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from maestri.cli import exits
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser
from maestri.errors import PathNotFound, RunEnded
from maestri.kernel import events as ev
from maestri.kernel import state
from maestri.kernel.path import ROOT, is_within, parse
from maestri.kernel.ports import Reader, RunInfo
from maestri.project import Project
from maestri.records import NamedTuple
from maestri.report.reading import read_tree
from maestri.report.tree import Tree
from maestri.report.wording import one_line

PATIENCE_S: Final = 2.0
_POLL_S: Final = 0.05
_NAMED: Final = 5


class Heard(NamedTuple):
    """What became of a request: whether it is on record, and the kind of event that ended its path since."""

    is_recorded: bool = False
    end: int | None = None


def _arguments(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run")
    parser.add_argument("path", metavar="PATH", nargs="?", default=ROOT, help="only this step or scope")


def _act(options: Any, terminal: Terminal) -> int:
    project = Project(state=options.state)
    run = project.find(options.run)
    if run.end is not None:
        message = f"run {run.name} has ended already"
        raise RunEnded(message, fix=f"see what came of it with `maestri show {run.name}`", run=run.name)
    path = parse(options.path)
    if run.alive:
        return _cancel_living(project, run, path, terminal)
    terminal.say(one_line(asyncio.run(_cancel(project, run, path))))
    return exits.SUCCEEDED


async def _cancel(project: Project, run: RunInfo, path: str) -> str:
    try:
        return await project.cancel(run, path)
    finally:
        await project.close()


def _cancel_living(project: Project, run: RunInfo, path: str, terminal: Terminal) -> int:
    reader = project.reader(run)
    try:
        if path != ROOT and (ended := ended_as(read_tree(reader), run, path)):
            terminal.say(f"{path} had already ended: {ended}; nothing was cancelled")
            return exits.FAILED
        after = reader.last_seq()
        asyncio.run(_cancel(project, run, path))
        heard = _listen(reader, path, after)
    finally:
        reader.close()
    terminal.say(one_line(_told(run, path, heard)))
    return exits.SUCCEEDED if heard.end in {None, *_CANCELLED} else exits.FAILED


def ended_as(tree: Tree, run: RunInfo, path: str) -> str:
    """Return how a step or scope of a run has ended, or an empty text while it is under way.

    Raises:
        PathNotFound: It has not begun, and may never be.
    """
    step = tree.step(path)
    if step.state in state.ENDED:
        return step.state
    if step.state == state.PENDING and not any(is_within(other, path) for other in tree.run.steps):
        open_ = [one.path for one in tree.run.steps.values() if one.state in state.LIVE and not one.is_scope]
        more = f", and {len(open_) - _NAMED} more" if len(open_) > _NAMED else ""
        fix = f"under way: {', '.join(open_[:_NAMED])}{more}" if open_ else "no step is under way just now"
        message = f"`{path}` has not begun, or is no step of this run: there is nothing to cancel"
        raise PathNotFound(message, fix=fix, run=run.name, path=path)
    return ""


def _listen(reader: Reader, path: str, after: int) -> Heard:
    """Wait a little for the request to be acted on, and return what became of it."""
    heard = Heard()
    until = time.monotonic() + PATIENCE_S
    while heard.end is None and time.monotonic() < until:
        for event in reader.events(after):
            after = event.seq
            if event.kind == ev.CANCEL_REQUESTED and event.body.get("path") == path:
                heard = heard._replace(is_recorded=True)
            elif _is_end(event.kind, path) and path in {ROOT, event.path}:
                heard = heard._replace(end=event.kind)
        if heard.end is None:
            time.sleep(_POLL_S)
    return heard


def _is_end(kind: int, path: str) -> bool:
    return kind in ev.RUN_ENDS if path == ROOT else kind in ev.STEP_ENDS | ev.SCOPE_ENDS


_CANCELLED: Final = frozenset({ev.CANCELLED, ev.SCOPE_CANCELLED, ev.RUN_CANCELLED})


def _told(run: RunInfo, path: str, heard: Heard) -> str:
    what = f"run {run.name}" if path == ROOT else f"{path} of run {run.name}"
    if heard.end in _CANCELLED:
        return f"cancelled {what}"
    if heard.end is not None:
        return f"{what} had already ended: {ev.NAMES[heard.end].partition('.')[2]}"
    if heard.is_recorded:
        return f"cancelling {what}: the request is on record, and what is under way is being ended"
    return f"asked the process that executes {run.name} to cancel {what}; it has not taken the request in yet"


command = Command(_arguments, _act)
