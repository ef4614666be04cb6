"""`maestri show`: a run as a tree, or everything about one step."""

from __future__ import annotations

import sys
import time
from typing import Any, Final

from maestri.cli import exits
from maestri.cli.main import resolve
from maestri.cli.ps import handled_note, run_json, status, took_s
from maestri.cli.show_step import step_json, step_text
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser
from maestri.kernel import codec, state
from maestri.kernel.path import ROOT, parse
from maestri.kernel.ports import RunInfo
from maestri.project import Project
from maestri.report.outline import BOLD, STYLES, elapsed_s, outline, unblocking, wait_words
from maestri.report.output import failure_diagnostic, pretty
from maestri.report.reading import FAILURES, read_tree, read_whole
from maestri.report.tree import Tree
from maestri.report.wording import cut, date, duration, one_line

_STRAYS = 20  # of the events that nobody handled, so many are shown


WORKERS: Final = "maestri.cli.show_workers:show_workers"


def _arguments(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run")
    parser.add_argument("path", metavar="PATH", nargs="?", help="a step or scope of it")
    parser.add_argument(
        "--all", action="store_true", help="every step, also of a very long run; this may take a while"
    )
    parser.add_argument(
        "--workers", action="store_true", help="its steps as workers: PENDING, READY, STARTING, ACTIVE, ..."
    )
    parser.add_argument("--json", action="store_true", help="as a JSON document, with nothing cut")


def _act(options: Any, terminal: Terminal) -> int:
    project = Project(state=options.state)
    run = project.find(options.run)
    reader = project.reader(run)
    try:
        path = parse(options.path) if options.path else ROOT
        if path != ROOT:
            return _show_step(project, run, path, options, terminal)
        tree = read_whole(reader) if options.all else read_tree(reader)
        if status(run) == state.INTERRUPTED:
            tree.interrupt()
        if options.workers:
            resolve(WORKERS)(project, run, tree, terminal, as_json=options.json)
            return exits.SUCCEEDED
    finally:
        reader.close()
    if options.json:
        terminal.say_json(tree_json(tree, run), indent=2)
    else:
        _draw(tree, run, terminal, shows_all=options.all)
    return exits.SUCCEEDED


def _show_step(project: Project, run: RunInfo, path: str, options: Any, terminal: Terminal) -> int:
    reader = project.reader(run)
    try:
        if options.json:
            terminal.say_json(step_json(project, reader, run, path), indent=2)
        else:
            terminal.say(step_text(project, reader, run, path, terminal))
    finally:
        reader.close()
    return exits.SUCCEEDED


def _draw(tree: Tree, run: RunInfo, terminal: Terminal, *, shows_all: bool) -> None:
    now, word = time.time(), status(run)
    name = terminal.style(one_line(run.name), BOLD)
    took = duration(took_s(run, now))
    note = handled_note(tree.run.handled)
    head = f"run {name}  {one_line(run.workflow)}  {terminal.style(word, STYLES[word])}  {took}"
    terminal.say(f"{head}  {note}" if note else head)
    terminal.say(f"started {date(run.created)} in {one_line(run.cwd)}")
    room = max(20, terminal.lines - 8) if terminal.is_terminal else None
    look = terminal.look(now if run.alive else 0.0, sys.maxsize if shows_all else room, words=True)
    terminal.draw(outline(tree, look, tree.reports))
    if tree.fails_more:
        terminal.say(f"more than {FAILURES} failed or were cancelled: maestri show {run.name} --all")
    elif not tree.is_whole:
        terminal.say(f"a long run, shown in part; every step: maestri show {run.name} --all")
    _say_waits(tree, run, terminal, now)
    if tree.run.failure is not None:
        for path in tree.because:
            failure = tree.failures.get(path, tree.run.failure)
            terminal.say("\n" + failure_diagnostic(failure, run.name, path).text())
    if word == state.SUCCEEDED and tree.run.output is not None:
        terminal.say("\noutput:\n" + pretty(tree.run.output, f"maestri show {run.name} --json"))
    if word in {state.INTERRUPTED, state.FAILED, state.CANCELLED}:
        terminal.say(f"\ngo on with: maestri resume {run.name}")


def _say_waits(tree: Tree, run: RunInfo, terminal: Terminal, now: float) -> None:
    """Say what waits for a word, and how to give it."""
    for path, wait in tree.waits.items():
        if wait.question:
            choice = f" ({'|'.join(wait.options)})" if wait.options else ""
            words = one_line(f"{path} {wait_words(wait, now)}{choice}")
            terminal.say(f"{words}\n  answer with: maestri answer {run.name} {path} VALUE")
        elif wait.hold:
            terminal.say(one_line(f"{path} is blocked: {wait.reason or 'it has not said why'}"))
            terminal.say(f"  when that is settled: {unblocking(run.name, path)}")
    for stray in list(tree.strays.values())[-_STRAYS:]:
        data = codec.encode(stray.data)
        terminal.say(one_line(f"{stray.path} nobody handled the event `{stray.name}`: {cut(data, 200, '~')}"))


def tree_json(tree: Tree, run: RunInfo) -> dict[str, Any]:
    """Return a run and its steps, as far as they are kept, as a JSON object."""
    return {
        **run_json(run),
        "output": tree.run.output,
        "failure": tree.run.failure,
        "handled": tree.run.handled,
        "because": list(tree.because),
        "unhandled": [stray._asdict() for stray in tree.strays.values()],
        "left_out": {scope: folded.total for scope, folded in tree.folded.items() if folded.total},
        "steps": [
            {**step_fields(tree, path), "seconds": elapsed_s(step, 0.0)}
            for path, step in tree.run.steps.items()
        ],
    }


def step_fields(tree: Tree, path: str) -> dict[str, Any]:
    """Return what the tree knows of a step, without what is not set."""
    step = tree.step(path)
    fields = {key: value for key, value in step._asdict().items() if value not in {None, ""}}
    return {**fields, "worker_state": state.worker_state(step)}


command = Command(_arguments, _act)
