"""`maestri events`: the journal of a run, one event a line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

from maestri.cli import exits
from maestri.cli.main import resolve
from maestri.cli.ps import status
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser
from maestri.kernel import state
from maestri.kernel.events import Stored
from maestri.kernel.ports import Reader
from maestri.project import Project
from maestri.report.lines import Lines

POLL_S = 0.05  # a look costs a third of a millisecond
_PAGE = 1000
WORKER_EVENT: Final = "maestri.report.workers:worker_event"


def _arguments(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run")
    parser.add_argument(
        "--follow",
        action="store_true",
        help="wait for more until the run has ended; the exit code is the run's",
    )
    parser.add_argument(
        "--jsonl", action="store_true", help="one JSON object a line: the events as they are stored"
    )
    parser.add_argument(
        "--worker-events",
        action="store_true",
        help="one JSON object a line, as workers: worker.checkpoint, ...",
    )
    parser.add_argument("--after", metavar="SEQ", type=int, default=0, help="begin behind this event")


def _act(options: Any, terminal: Terminal) -> int:
    project = Project(state=options.state)
    reader = project.reader(project.find(options.run))
    lines = Lines()
    try:
        for event in _events(reader, options.after, follow=options.follow):
            if options.worker_events:
                found = resolve(WORKER_EVENT)(event)
                if found is not None:
                    terminal.say_json(found)
            elif options.jsonl:
                terminal.say_json(event.as_json())
            else:
                terminal.say(lines.line(event))
        return exits.of_status(status(reader.info())) if options.follow else exits.SUCCEEDED
    finally:
        reader.close()


def _events(reader: Reader, after: int, *, follow: bool) -> Iterator[Stored]:
    while True:
        # Asked before the events are read: what is stored after the end would be missed otherwise.
        is_over = status(reader.info()) != state.RUNNING
        while page := reader.events(after, _PAGE):
            yield from page
            after = page[-1].seq
        if is_over or not follow:
            return
        time.sleep(POLL_S)


command = Command(_arguments, _act)
