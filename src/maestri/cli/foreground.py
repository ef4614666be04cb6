"""Follows a run in this process from its beginning to its end: screen, signals, questions, exit code.

Rule 1: the first Ctrl-C (or SIGTERM, or the end of the terminal) cancels the run in order and on the record;
the second ends everything at once, and the journal says that it was interrupted.
Rule 2: a run that is only parked must not see its frames unwound: the process ends without that.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from maestri.cli import exits
from maestri.cli.asking import ask, ask_until
from maestri.cli.main import LIVE, resolve
from maestri.cli.screens import PlainLines, Screen, Silence
from maestri.cli.summary import Counts, Story, draw_tree, end_json, tell_end
from maestri.cli.terminal import Terminal
from maestri.errors import PathNotFound, StepFailed
from maestri.kernel import state
from maestri.kernel.attempts import place_of
from maestri.kernel.events import Event
from maestri.kernel.path import ROOT
from maestri.kernel.ports import Notice, RunInfo
from maestri.kernel.runner import Ended, Execution
from maestri.project import Project
from maestri.project.doing import own_process
from maestri.records import NamedTuple
from maestri.report.reading import read_tree
from maestri.report.tree import Tree
from maestri.report.wording import clean, one_line

TICK_S = 0.2
AT_ONCE_S = 2.0
_MOMENT_S = 0.01
_PATIENCE = 200
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Begin = Callable[[Project], Awaitable[Execution]]


class Way(NamedTuple):
    """How a run is to be followed. `created` is told as soon as there is a run (for `--detach`).

    Where a run succeeds, `page` is what is shown of its output, and `code` gives the exit code for it.
    """

    json: bool = False
    plain: bool = False
    created: Callable[[RunInfo], None] | None = None
    page: Callable[[Any], str] | None = None
    code: Callable[[Any], int] | None = None


def follow(
    project: Project,
    terminal: Terminal,
    way: Way,
    begin: Begin,
    known: RunInfo | None = None,
    again: Begin | None = None,
) -> int:
    """Begin a run, follow it to its end, and return the exit code.

    Args:
        project: Closed at the end.
        terminal: Where to speak.
        way: How.
        begin: Starts or resumes the run.
        known: The run that is resumed.
        again: Goes on when a question was answered here; with what is recorded, where it is not given.

    Raises:
        StepFailed: The workflow's own code ended the process.
    """
    terminal.survives = True
    own_process()
    try:
        return asyncio.run(_Following(project, terminal, way, again).conduct(begin, known))
    except SystemExit as error:  # asyncio hands it on from any asyncio task, past all that waits for it
        message = (
            f"an asyncio task that the workflow made by itself has ended the process: SystemExit: {error}"
        )
        fix = "mend the workflow's code, then resume the run"
        raise StepFailed(message, cause=place_of(error), fix=fix) from error


class _Following:
    """One run under way in the foreground."""

    def __init__(self, project: Project, terminal: Terminal, way: Way, again: Begin | None) -> None:
        self._project = project
        self._terminal = terminal
        self._way = way
        self._again = again
        self._screen = screen_for(terminal, way)
        self._tree = Tree()
        self._counts = Counts()
        self._begun = time.time()
        self._execution: Execution | None = None
        self._interrupts = 0
        self._given_up: set[str] = set()  # questions with a time limit that were put here already
        self._stopping: asyncio.Task[None] | None = None

    async def conduct(self, begin: Begin, known: RunInfo | None) -> int:
        project = self._project
        project.on_pause = self._paused
        project.on_warning = lambda text: self._terminal.tell(clean(text))
        project.watch(self._stored, self._noticed)
        if known is not None:
            self._remember(known)
        try:
            ended = await self._to_the_end(begin, known)
            story = Story(ended, self._tree, self._counts, self._begun, project)
            self._tell(story)
        finally:
            self._screen.close()
            await self._stopped()
            await project.close()
        if ended.status == state.WAITING and self._has_frames():
            _leave(exits.WAITING)
        if ended.status == state.SUCCEEDED and self._way.code is not None:
            return self._way.code(ended.output)
        return exits.of_status(ended.status)

    async def _stopped(self) -> None:
        """Let the run have its last word: the end of the event loop cancels it and this at once."""
        execution = self._execution
        if execution is not None and not execution.core.is_parking:
            await execution.over()

    async def _to_the_end(self, begin: Begin, known: RunInfo | None) -> Ended:
        """Follow the run; where only answers are missing and there is a person, ask and go on."""
        self._execution = execution = await begin(self._project)
        self._announce(execution.info)
        while True:
            ended = await self._accompany(execution)
            if ended.status != state.WAITING or not await self._answered(ended):
                return ended
            if self._has_frames():
                await self._woken(execution)
            else:
                self._execution = execution = await self._resumed(ended.run)

    async def _resumed(self, run: RunInfo) -> Execution:
        if self._again is not None:
            return await self._again(self._project)
        return await self._project.resume(run, recorded=True)

    async def _accompany(self, execution: Execution) -> Ended:
        """Show a run until it has ended, or waits for people; what is stored by then has been seen."""
        self._listen()
        self._screen.open(execution.info, self._tree)
        ticking = asyncio.get_running_loop().create_task(self._tick(execution))
        try:
            ended = await execution.wait()
            await self._seen(ended)
        finally:
            ticking.cancel()
            self._screen.close()
            self._ignore()
        return ended

    async def _seen(self, ended: Ended) -> None:
        """What rides with the next commit may be on its way still, and the summary tells of it."""
        for _ in range(_PATIENCE):
            if self._tree.run.status == ended.status:
                return
            await asyncio.sleep(_MOMENT_S)

    async def _woken(self, execution: Execution) -> None:
        """Wait until the answer, which goes through the mailbox, has come back to this process."""
        while execution.core.is_parking:  # noqa: ASYNC110  - the kernel has no event for it
            await asyncio.sleep(_MOMENT_S)

    def _announce(self, run: RunInfo) -> None:
        if not self._way.json:
            self._terminal.say(f"run {one_line(run.name)}")
        if self._way.created is not None:
            self._way.created(run)

    def _remember(self, run: RunInfo) -> None:
        reader = self._project.reader(run)
        try:
            self._tree = read_tree(reader)
        finally:
            reader.close()
        self._counts.seed(self._tree)

    # --- what happens -------------------------------------------------------------------------------

    def _stored(self, _run: str, events: Sequence[Event]) -> None:
        for event in events:
            self._counts.take(event.kind, self._tree.step(event.path).state)
            self._tree.take(event)
        self._screen.show(events)

    def _noticed(self, _run: str, notice: Notice) -> None:
        self._screen.notice(notice)

    def _paused(self, text: str) -> None:
        self._screen.say(clean(text))

    async def _tick(self, execution: Execution) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._screen.tick()
            await self._ask_in_time(execution)

    # --- the end ------------------------------------------------------------------------------------

    def _tell(self, story: Story) -> None:
        if self._way.json:
            self._terminal.say_json(end_json(story))
            return
        if self._terminal.is_live and not self._way.plain:
            draw_tree(story, self._terminal)
        tell_end(story, self._terminal, self._way.page)

    async def _answered(self, ended: Ended) -> bool:
        """Ask the person at the terminal what the run asks; return whether all of it was answered."""
        if self._way.json or not _has_person(self._terminal):
            return False
        waits = [(path, self._tree.waits.get(path)) for path in ended.waiting]
        if any(wait is None or not wait.question for _, wait in waits):
            return False
        for path, wait in waits:
            typed = ask(self._terminal, path, wait) if wait is not None else None
            if typed is None:
                return False
            self._project.post(ended.run, "answer", {"path": path, "value": typed.value})
        return True

    async def _ask_in_time(self, execution: Execution) -> None:
        """Ask what has a time limit, and so keeps the run from being parked; nothing else is under way."""
        core = execution.core
        if self._way.json or not core.waits.is_quiet() or not _has_person(self._terminal):
            return
        for path in list(core.waits.people):
            wait = self._tree.waits.get(path)
            if wait is None or not wait.question or path in self._given_up:
                continue
            self._screen.close()
            people = core.waits.people
            typed = await ask_until(self._terminal, path, wait, partial(_is_gone, people, path))
            if typed is not None:
                self._project.post(execution.info, "answer", {"path": path, "value": typed.value})
            self._given_up.add(path)
            self._screen.open(execution.info, self._tree)

    def _has_frames(self) -> bool:
        """Tell whether a parked run has frames in this process, which a definition in YAML has not."""
        return self._execution is not None and bool(self._execution.core.live)

    # --- signals ------------------------------------------------------------------------------------

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._interrupted)

    def _ignore(self) -> None:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)

    def _interrupted(self) -> None:
        self._interrupts += 1
        loop = asyncio.get_running_loop()
        if self._interrupts == 1:
            self._screen.say("cancelling ... (press again to stop at once)")
            self._stopping = loop.create_task(self._cancel())
        elif self._interrupts == 2:
            self._screen.close()
            name = one_line(self._execution.info.name) if self._execution is not None else "RUN"
            self._terminal.tell(f"stopped at once; go on with: maestri resume {name}")
            self._stopping = loop.create_task(self._at_once())

    async def _cancel(self) -> None:
        """Cancel the run; in its first moments it may not have begun yet."""
        execution = self._execution
        while execution is not None:
            try:
                await execution.cancel(ROOT, "interrupted")
            except PathNotFound:
                await asyncio.sleep(_MOMENT_S)
            else:
                return

    async def _at_once(self) -> None:
        """Let go of the journal first, so that what is killed now does not go down as a failure."""
        doing = self._project.doing
        try:
            async with asyncio.timeout(AT_ONCE_S):
                await doing.engine.close()
                await doing.dispatcher.close()
        finally:
            _leave(exits.CANCELLED)


def screen_for(terminal: Terminal, way: Way) -> Screen:
    """Return the screen for a terminal: with `--json`, lines to standard error, and only for eyes."""
    if way.json:
        return PlainLines(terminal.tell) if terminal.is_error_live else Silence(terminal.tell)
    if terminal.is_live and not way.plain:
        screen: Screen = resolve(LIVE)(terminal)
        return screen
    return PlainLines(terminal.say)


def _is_gone(people: Mapping[str, str], path: str) -> bool:
    return path not in people


def _has_person(terminal: Terminal) -> bool:
    return terminal.is_live and sys.stdin is not None and sys.stdin.isatty()


def _leave(code: int) -> None:
    """End the process here and now: what is left of a parked run must not be unwound."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    os._exit(code)
