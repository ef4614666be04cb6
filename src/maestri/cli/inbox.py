"""`maestri inbox`: everything that waits for a person or a signal, over all runs."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator
from typing import Any

from maestri.cli import exits
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser
from maestri.kernel.ports import RunInfo
from maestri.project import Project
from maestri.records import NamedTuple
from maestri.report.outline import BOLD, DIM, unblocking
from maestri.report.reading import read_tree
from maestri.report.tree import Wait
from maestri.report.wording import ago, clean, duration, one_line
from maestri.values import Json


class Item(NamedTuple):
    """One thing that waits: a step of a run."""

    run: RunInfo
    path: str
    wait: Wait

    @property
    def command(self) -> str:
        """The command line that ends the wait, but for the word that a person puts in."""
        name, path = shlex.quote(self.run.name), shlex.quote(self.path)
        if self.wait.question:
            return f"maestri answer {name} {path} VALUE"
        if self.wait.hold:
            return unblocking(name, path)
        signals = self.wait.signals
        named = shlex.quote(signals[0]) if len(signals) == 1 else "NAME"
        return f"maestri signal {name} {named} --data JSON"

    def as_json(self) -> dict[str, Json]:
        """Return it as a JSON object."""
        wait = self.wait
        return {
            "run": self.run.id,
            "name": self.run.name,
            "workflow": self.run.workflow,
            "cwd": self.run.cwd,
            "path": self.path,
            "kind": "question" if wait.question else "blocker" if wait.hold else "signal",
            "reason": wait.reason or None,
            "question": wait.question or None,
            "options": list(wait.options),
            "schema": wait.schema,
            "signals": list(wait.signals),
            "since": wait.since,
            "until": wait.until,
            "command": self.command,
        }


def _arguments(parser: Parser) -> None:
    parser.add_argument("--all", action="store_true", help="the runs of every folder")
    parser.add_argument("--json", action="store_true", help="as a JSON document")


def _act(options: Any, terminal: Terminal) -> int:
    project = Project(state=options.state)
    runs = [run for run in project.runs(everywhere=options.all) if run.end is None]
    found = sorted(
        (item for run in runs for item in waiting_in(project, run)), key=lambda one: one.wait.since
    )
    if options.json:
        terminal.say_json([item.as_json() for item in found], indent=2)
        return exits.SUCCEEDED
    now = time.time()
    for item in found:
        _show(item, now, terminal, shows_folder=options.all)
    if not found:
        hint = "" if options.all else " in this folder; `maestri inbox --all` looks at all folders"
        terminal.say(f"nothing waits for you{hint}")
    return exits.SUCCEEDED


def waiting_in(project: Project, run: RunInfo) -> Iterator[Item]:
    """Yield what waits in a run for a person, or for a word from outside."""
    reader = project.reader(run)
    try:
        tree = read_tree(reader)
    finally:
        reader.close()
    for path, wait in tree.waits.items():
        if wait.question or wait.signals or wait.hold:
            yield Item(run, path, wait)


def _show(item: Item, now: float, terminal: Terminal, *, shows_folder: bool) -> None:
    wait, run = item.wait, item.run
    where = f"  {one_line(run.cwd)}" if shows_folder else ""
    left = f", {duration(wait.until - now)} left" if wait.until is not None and wait.until > now else ""
    head = f"{one_line(run.name)} {one_line(item.path)}"
    about = terminal.style(f"  {one_line(run.workflow)}, {ago(wait.since, now)}{left}{where}", DIM)
    terminal.say(terminal.style(head, BOLD) + about)
    said = wait.question or f"{'is blocked:' if wait.hold else 'waits for'} {wait.reason}"
    for line in clean(said).split("\n"):
        terminal.say(f"  {line}")
    if wait.options:
        terminal.say(f"  one of: {one_line('|'.join(wait.options))}")
    if wait.schema is not None:
        terminal.say(f"  JSON of this form: {one_line(json.dumps(wait.schema))}")
    terminal.say(f"  {one_line(item.command)}")


command = Command(_arguments, _act)
