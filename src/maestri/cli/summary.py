"""What stands below a run when it has ended, and the one JSON document of `--json`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from maestri.cli.terminal import Terminal
from maestri.errors import NoProgress, RoundsExhausted
from maestri.kernel import events as ev
from maestri.kernel import state
from maestri.kernel.ports import RunInfo
from maestri.kernel.runner import Ended
from maestri.project import Project
from maestri.records import NamedTuple
from maestri.report.outline import STYLES, outline, unblocking
from maestri.report.output import failure_diagnostic, pretty
from maestri.report.tree import Tree, Wait
from maestri.report.wording import counted, duration, one_line

_SHOWN_FAILURES = 20
_OF_LOOPS = frozenset({RoundsExhausted.code, NoProgress.code})
_SIGNAL = r"signal `(.+)`"


class Counts:
    """How many steps were done in this process, and how many the journal had already."""

    def __init__(self) -> None:
        """Begin with none."""
        self.ran = 0
        self.cut = 0
        self.reused = 0
        self.is_exact = True

    def seed(self, tree: Tree) -> None:
        """Count the steps that a resumed run has already; of a long journal, those that were read."""
        self.reused = tree.steps_done()
        self.is_exact = tree.is_whole

    def take(self, kind: int, before: str) -> None:
        """Count an event of a step that was in a state before; what a person accepts was not under way."""
        is_under_way = before not in {state.PENDING, *state.ENDED}
        self.ran += kind in {ev.SUCCEEDED, ev.FAILED} and is_under_way
        self.cut += kind == ev.CANCELLED and is_under_way


class Story(NamedTuple):
    """A run at its end, and what its tree knows of it; `begun` is when this process began with it."""

    ended: Ended
    tree: Tree
    counts: Counts
    begun: float
    project: Project

    @property
    def run(self) -> RunInfo:
        """The run."""
        return self.ended.run


def tell_end(story: Story, terminal: Terminal, page: Callable[[Any], str] | None = None) -> None:
    """Write the summary of a run: what came of it, what failed and why, the output, how to go on.

    Args:
        story: The run.
        terminal: Where to write.
        page: What is shown of an output, instead of the output itself.
    """
    ended, name = story.ended, one_line(story.run.name)
    terminal.say(_headline(story, terminal))
    if ended.status == state.FAILED:
        _tell_failures(story, terminal)
    if ended.status == state.SUCCEEDED and ended.output is not None:
        as_it_is = "output:\n" + pretty(ended.output, f"maestri show {name} --json")
        terminal.say(as_it_is if page is None else page(ended.output))
    if ended.status == state.WAITING:
        _tell_waits(story, terminal)
    elif ended.status != state.SUCCEEDED:
        terminal.say(f"go on with: maestri resume {name}")
        for path in _ended_loops(story):
            terminal.say(
                f"or decide:  maestri accept {name} {path} --output JSON, or maestri skip {name} {path}"
            )


def draw_tree(story: Story, terminal: Terminal) -> None:
    """Write the final tree, as much of it as a screen takes."""
    terminal.draw(outline(story.tree, terminal.look(time.time(), max(20, terminal.lines - 8))))


def _headline(story: Story, terminal: Terminal) -> str:
    ended, counts = story.ended, story.counts
    look = terminal.look(0.0)
    word = terminal.style(f"{look.sign(ended.status)} {ended.status}", STYLES[ended.status])
    parts = [f"{counted(counts.ran, 'step')} run"]
    if counts.cut:
        parts.append(f"{counts.cut:,} cancelled under way")
    if counts.reused:
        parts.append(f"{'' if counts.is_exact else 'at least '}{counts.reused:,} from the journal")
    if ended.handled:
        parts.append(f"{counted(ended.handled, 'failure')} handled")
    return f"{word} in {duration(time.time() - story.begun)}: {', '.join(parts)}"


def _tell_failures(story: Story, terminal: Terminal) -> None:
    name, tree = story.run.name, story.tree
    whole = story.ended.failure.as_json() if story.ended.failure is not None else {}
    paths = tree.because or ((whole["path"],) if whole.get("path") else ())
    for path in paths[:_SHOWN_FAILURES]:
        terminal.say(failure_diagnostic(tree.failures.get(path, whole), name, path).text())
        logs = story.project.log_files(story.run, path)
        if logs:
            terminal.say(f"  log: {one_line(logs[-1][1])} (maestri logs {name} {path})")
    if not paths and whole:
        terminal.say(failure_diagnostic(whole, name).text())
    if len(paths) > _SHOWN_FAILURES:
        rest = counted(len(paths) - _SHOWN_FAILURES, "more failure")
        terminal.say(f"{rest}; see `maestri show {name}`")


def _ended_loops(story: Story) -> list[str]:
    """Return the loops that a run failed of; to resume alone would be to fail again in the same way."""
    failures = story.tree.failures
    if story.ended.status != state.FAILED:
        return []
    return [path for path in story.tree.because if failures.get(path, {}).get("code") in _OF_LOOPS]


def _tell_waits(story: Story, terminal: Terminal) -> None:
    name = one_line(story.run.name)
    for path in story.ended.waiting:
        wait = story.tree.waits.get(path)
        if wait is not None and wait.question:
            choice = f" ({'|'.join(wait.options)})" if wait.options else ""
            terminal.say(one_line(f"{path} asks: {wait.question}{choice}"))
            terminal.say(f"  answer with: maestri answer {name} {path} VALUE")
        elif wait is not None and wait.hold:
            terminal.say(one_line(f"{path} is blocked: {wait.reason}"))
            terminal.say(f"  when that is settled: {unblocking(name, path)}")
        else:
            terminal.say(one_line(f"{path} waits for {wait.reason if wait is not None else 'a word'}"))
            terminal.say(f"  send it with: maestri signal {name} {_signal_name(wait)} --data JSON")
    terminal.say(f"then go on with: maestri resume {name}")


def _signal_name(wait: Wait | None) -> str:
    """Return the name of the signal that is waited for: the kernel's words for it are ``signal `NAME` ``."""
    found = re.fullmatch(_SIGNAL, wait.reason) if wait is not None else None
    return one_line(found[1]) if found else "NAME"


def end_json(story: Story) -> dict[str, Any]:
    """Return the document that `--json` prints."""
    ended = story.ended
    failure = None if ended.failure is None else ended.failure.as_json()
    is_over = ended.status in state.ENDED
    return {
        "run": story.run.id,
        "name": story.run.name,
        "workflow": story.run.workflow,
        "status": ended.status,
        "output": ended.output,
        "failure": failure,
        "handled": ended.handled,
        "waiting": list(ended.waiting),
        "started": story.run.created,
        "ended": time.time() if is_over else None,
    }
