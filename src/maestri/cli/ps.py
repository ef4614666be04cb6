"""`maestri ps`: the runs, one a line."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from maestri.cli import exits
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser
from maestri.kernel import state
from maestri.kernel.ports import RunInfo
from maestri.project import Project
from maestri.project.inside import held
from maestri.report.outline import DIM, STYLES, Line, Piece, fitted, unblocking
from maestri.report.reading import status_of
from maestri.report.wording import ago, clean, counted, cut, duration, one_line

_HEADS = ("NAME", "WORKFLOW", "STATUS", "STARTED", "TIME", "NOTES")


def _arguments(parser: Parser) -> None:
    parser.add_argument("--all", action="store_true", help="the runs of every folder")
    parser.add_argument("--names", action="store_true", help="only their names, one a line")
    parser.add_argument("--json", action="store_true", help="as a JSON document")


def _act(options: Any, terminal: Terminal) -> int:
    project = Project(state=options.state)
    runs = project.runs(everywhere=options.all)
    damages = project.damage()
    for finding in damages:
        terminal.tell(clean(finding.text()))
    if options.json:
        handled = project.handled()
        blocked = held(project, [run for run in runs if run.end is None])
        rows = [
            {**run_json(run), "handled": handled.get(run.id, 0), "blocked": blocked.get(run.id, [])}
            for run in runs
        ]
        terminal.say_json(rows, indent=2)
    elif options.names:
        for run in runs:
            terminal.say(one_line(run.name))
    elif runs:
        blocked = held(project, [run for run in runs if run.alive])
        terminal.draw(table(runs, time.time(), terminal, project.handled(), blocked))
        _tell_blocked(runs, blocked, terminal)
    elif not damages:
        hint = "" if options.all else " in this folder; `maestri ps --all` lists those of all folders"
        terminal.say(f"there are no runs{hint}")
    return exits.FAILED if damages else exits.SUCCEEDED


def status(run: RunInfo) -> str:
    """Return the word for the state of a run."""
    return status_of(run.end, run.waiting, alive=run.alive)


def took_s(run: RunInfo, now: float) -> float:
    """Return how long a run took, or has taken so far; of one that stopped, until its last event."""
    return (now if run.alive and run.end is None else run.changed or run.created) - run.created


def run_json(run: RunInfo) -> dict[str, Any]:
    """Return a run as a JSON object."""
    return {
        "run": run.id,
        "name": run.name,
        "workflow": run.workflow,
        "status": status(run),
        "cwd": run.cwd,
        "started": run.created,
        "ended": run.changed if run.end is not None else None,
        "changed": run.changed,
        "alive": run.alive,
        "waiting": run.waiting,
    }


def _tell_blocked(runs: Sequence[RunInfo], blocked: Mapping[str, list[str]], terminal: Terminal) -> None:
    """Say how those go on that only a word settles, and that would otherwise look as if they were at work."""
    for run in runs:
        for path in blocked.get(run.id, ()):
            name = one_line(run.name)
            terminal.say(f"{path} of {name} is blocked; when that is settled: {unblocking(name, path)}")


def table(
    runs: Sequence[RunInfo],
    now: float,
    terminal: Terminal,
    handled: Mapping[str, int],
    blocked: Mapping[str, list[str]] | None = None,
) -> list[Line]:
    """Return the table of runs, the newest last.

    Args:
        runs: The runs.
        now: The time.
        terminal: Where it is drawn.
        handled: The failures that a success got over.
        blocked: The steps that blockers hold in runs under way.
    """
    rows = [_row(run, now, handled.get(run.id, 0), (blocked or {}).get(run.id, ())) for run in runs]
    widths = [max(len(row[i]) for row in [_HEADS, *rows]) for i in range(len(_HEADS))]
    look = terminal.look(now)
    lines = [fitted([Piece(_padded(_HEADS, widths), DIM)], look)]
    for row in rows:
        before, word, after = _padded([*row[:2], "|"], widths)[:-1], row[2], _padded(row[3:], widths[3:])
        rest = " " * (widths[2] - len(word))
        lines.append(fitted([Piece(before), Piece(word, STYLES[word]), Piece(f"{rest}  {after}")], look))
    return lines


def handled_note(handled: int) -> str:
    """Return what a status must say beside itself, so that it is not greener than its parts."""
    return f"{counted(handled, 'failure')} handled" if handled else ""


def _row(run: RunInfo, now: float, handled: int, blocked: Sequence[str]) -> tuple[str, ...]:
    note = f"{handled} failed" if handled else ""  # short: it stands last, where a narrow terminal cuts
    if blocked:
        note = f"blocked: {', '.join(blocked)}"
    if status(run) == state.WAITING:
        note = f"waits for {run.waiting}"
    return (
        one_line(run.name),
        cut(one_line(run.workflow), 24, "~"),
        status(run),
        ago(run.created, now),
        duration(took_s(run, now)),
        one_line(note),
    )


def _padded(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=False)).rstrip()


command = Command(_arguments, _act)
