"""What a version makes of a journal: its lines, and the state of the run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from maestri.kernel.ports import RunInfo
from maestri.kernel.state import fold
from maestri.project import Project


@contextmanager
def opened(state: Path, cwd: Path) -> Iterator[Project]:
    """Open a state directory for the length of a block."""
    project = Project(state=str(state), cwd=str(cwd))
    yield project
    if project._catalog is not None:
        project._catalog.close()


def lines(project: Project, run: RunInfo) -> list[str]:
    """Return the events of a run as `maestri events --jsonl` prints them."""
    with closing(project.reader(run)) as reader:
        return [json.dumps(event.as_json(), ensure_ascii=False) for event in reader.events(limit=10_000)]


def folded(project: Project, run: RunInfo) -> dict[str, Any]:
    """Return what a run has come to: its status, its output, and each step's state, output and attempts."""
    with closing(project.reader(run)) as reader:
        state = fold(list(reader.events(limit=10_000)))
    steps = {path: step._asdict() for path, step in sorted(state.steps.items())}
    return {"status": state.status, "output": state.output, "handled": state.handled, "steps": steps}


def text_of(value: Any) -> str:
    """Return a value as JSON to be kept in a file."""
    return json.dumps(value, ensure_ascii=False, indent=1, default=list) + "\n"
