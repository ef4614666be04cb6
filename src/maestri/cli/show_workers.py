"""What `maestri show --workers` says: each step as a worker in one of seven states."""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from typing import Any, Final

from maestri.cli.terminal import Terminal
from maestri.kernel import state
from maestri.kernel.ports import RunInfo
from maestri.kernel.state import StepState
from maestri.project import Project
from maestri.project.inside import commands_of, keys_of_processes
from maestri.report.diagrams.shapes import of_definition
from maestri.report.outline import DIM, STYLES, Piece, elapsed_s, fitted, unblocking
from maestri.report.tree import Tree
from maestri.report.wording import duration, one_line
from maestri.report.workers import Worker, workers

_ORDER: Final = list(dict.fromkeys(state.WORKER_STATES.values()))


def show_workers(project: Project, run: RunInfo, tree: Tree, terminal: Terminal, *, as_json: bool) -> None:
    """Write the workers of a run, one a line, or as a JSON document."""
    model = project.model_of(run)
    commands = frozenset({"run"}) if model is None else commands_of(model)
    definition = None if model is None else of_definition(model)
    found = list(workers(tree, definition, partial(_is_starting, run, commands, keys_of_processes())))
    if as_json:
        terminal.say_json([_fields(worker) for worker in found], indent=2)
        return
    counts = Counter(worker.state for worker in found)
    terminal.say("  ".join(f"{word} {counts[word]}" for word in _ORDER if counts[word]))
    width = max((len(worker.path) for worker in found), default=0)
    now = time.time()
    look = terminal.look(now)
    terminal.draw([fitted(_pieces(worker, width, now if run.alive else 0.0), look) for worker in found])
    for path, wait in tree.waits.items():
        if wait.hold:
            terminal.say(f"unblock {path} with: {unblocking(one_line(run.name), path)}")


def _is_starting(
    run: RunInfo, commands: frozenset[str], keys: frozenset[str] | None, step: StepState
) -> bool:
    """Tell whether an attempt at a command is under way that no process works on yet."""
    is_command = step.state == state.RUNNING and step.agent in commands
    key = f"{run.id}{step.path}/{step.attempt or 1}"
    return is_command and run.alive and keys is not None and key not in keys


def _pieces(worker: Worker, width: int, now: float) -> list[Piece]:
    passed_s = elapsed_s(worker.step, now)
    took = duration(passed_s) if passed_s is not None else ""
    word = Piece(f"{worker.state:<9}", STYLES.get(worker.step.state, ""))
    return [word, Piece(f"{worker.path:<{width}}  "), Piece(f"{took:<6}  {one_line(worker.note)}", DIM)]


def _fields(worker: Worker) -> dict[str, Any]:
    step = worker.step
    found = {
        "worker_id": worker.path[1:],
        "path": worker.path,
        "worker_state": worker.state,
        "state": step.state,
    }
    more = {"agent": step.agent, "attempt": step.attempt, "started": step.started, "ended": step.ended}
    return {**found, **{key: value for key, value in more.items() if value}, "note": worker.note}
