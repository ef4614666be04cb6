"""`maestri logs`: what a run, or a step of it, has written."""

from __future__ import annotations

import codecs
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from maestri.cli import exits
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser, whole_number
from maestri.errors import PathNotFound
from maestri.kernel import events as ev
from maestri.kernel.path import ROOT, parent, parse
from maestri.kernel.ports import Reader, RunInfo
from maestri.project import Project
from maestri.project.inside import log_of
from maestri.report.wording import clean

POLL_S = 0.2
_CHUNK_BYTES = 1 << 16
_TAIL_EVENTS = 200


def _arguments(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run")
    parser.add_argument(
        "path",
        metavar="PATH",
        nargs="?",
        help="a step of it (default: all, each line with time, path and stream)",
    )
    parser.add_argument(
        "--follow", action="store_true", help="wait for more until the step, or the run, has ended"
    )
    parser.add_argument("--where", action="store_true", help="only the place of the file")
    parser.add_argument("--attempt", metavar="N", type=whole_number, help="that of an earlier attempt")
    parser.add_argument(
        "--raw", action="store_true", help="byte for byte; it may hold what a terminal takes for a command"
    )


def _act(options: Any, terminal: Terminal) -> int:
    project = Project(state=options.state)
    run = project.find(options.run)
    path = parse(options.path) if options.path else ROOT
    reader = project.reader(run)
    try:
        while True:
            file = _file(project, run, path, options.attempt)
            if file is not None:
                break
            if not options.follow or options.where or _is_over(reader, path):
                raise _missing(project, run, path, options.attempt)
            time.sleep(POLL_S)
        if options.where:
            terminal.say(file)
            return exits.SUCCEEDED
        cleaner = _Cleaner(terminal)
        for chunk in _chunks(file, reader if options.follow else None, path):
            (terminal.say_bytes if options.raw else cleaner.write)(chunk)
        cleaner.close()
    finally:
        reader.close()
    return exits.SUCCEEDED


def _file(project: Project, run: RunInfo, path: str, attempt: int | None) -> str | None:
    if path == ROOT:
        place = log_of(project, run)
        return place if Path(place).exists() else None
    found = dict(project.log_files(run, path))
    if not found:
        return None
    return found.get(attempt if attempt is not None else max(found))


def _missing(project: Project, run: RunInfo, path: str, attempt: int | None) -> PathNotFound:
    if path == ROOT:
        message = f"no step of run {run.name} has written anything"
        return PathNotFound(message, fix=f"see what it does with `maestri show {run.name}`", run=run.name)
    numbers = ", ".join(str(number) for number, _ in project.log_files(run, path))
    if numbers:
        message = f"attempt {attempt} of `{path}` has no log"
        return PathNotFound(message, fix=f"there are logs of the attempts {numbers}", run=run.name, path=path)
    message = f"`{path}` has no log"
    fix = f"`maestri show {run.name}` lists the steps; scopes, and steps that wrote nothing, have none"
    return PathNotFound(message, fix=fix, run=run.name, path=path)


def _chunks(file: str, reader: Reader | None, path: str) -> Iterator[bytes]:
    with Path(file).open("rb") as log:
        while True:
            # Asked before the rest is read: what is written at the very end would be missed otherwise.
            is_over = reader is None or _is_over(reader, path)
            yield from _rest(log)
            if is_over:
                return
            time.sleep(POLL_S)


def _rest(log: BinaryIO) -> Iterator[bytes]:
    while chunk := log.read(_CHUNK_BYTES):
        yield chunk


def _is_over(reader: Reader, path: str) -> bool:
    if not reader.info().alive:
        return True
    if path == ROOT:
        return False
    scope, segment = parent(path)
    own = [event.kind for event in reader.scope(scope, _TAIL_EVENTS) if event.name == segment]
    return bool(own) and own[-1] in ev.STEP_ENDS | {ev.RETRIED}


class _Cleaner:
    """Writes whole lines, so that no escape sequence is split and slips through."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""

    def write(self, chunk: bytes) -> None:
        text, mark, rest = (self._rest + self._decode(chunk)).rpartition("\n")
        if len(rest) > _CHUNK_BYTES:
            text, mark, rest = text + mark + rest, "", ""
        self._rest = rest
        if text or mark:
            self._terminal.say(clean(text))

    def close(self) -> None:
        if self._rest:
            self._terminal.say(clean(self._rest))


command = Command(_arguments, _act)
