"""Agents for files of other systems: they answer in the form that is asked for, and deliver what is named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from maestri.agents.echo import simplest
from maestri.engines.memory import MemoryEngine
from maestri.errors import Diagnostic
from maestri.importers.importing import Imported, imported
from maestri.importers.scribe import Settings
from maestri.kernel.ports import Answer, Attempt, Task
from maestri.kernel.runner import Ended
from maestri.lang.definitions import Library
from maestri.lang.model import Fixed, PatternDef, StepDef, WorkflowDef
from maestri.lang.source import Source
from maestri.project import Project

SEEDS = Path(__file__).resolve().parents[1] / "seeds"
_FENCE = re.compile(r"^\s*(?:\\?`){3}(\w*)\s*$")


class Block(NamedTuple):
    """A fenced block: where it begins, its language, its text, and the same with its fences."""

    line: int
    language: str
    text: str
    fenced: str


def blocks(name: str) -> dict[int, Block]:
    """Return the fenced configurations of a document, by the line that they begin on."""
    found: dict[int, Block] = {}
    opened: tuple[int, str, str] | None = None
    lines: list[str] = []
    for number, line in enumerate((SEEDS / name).read_text(encoding="utf-8").splitlines(), 1):
        mark = _FENCE.match(line)
        if mark is None:
            lines.append(line)
        elif opened is None:
            opened, lines = (number, mark[1], line), []
        else:
            text = "\n".join(lines)
            found[opened[0]] = Block(opened[0], opened[1], text, f"{opened[2]}\n{text}\n{line}")
            opened = None
    return {line: one for line, one in found.items() if one.language in {"yaml", "json"}}


class Crew:
    """Answers for every agent: by the end of its path, else as simply as can be; delivers what it must."""

    def __init__(self, answers: Mapping[str, Any] | None = None) -> None:
        self.asked: list[str] = []
        self.prompts: list[str] = []
        self.delivers: dict[str, list[str]] = {}
        self._answers = dict(answers or {})

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        name = re.sub(r"/do(#\d+)?$", "", attempt.path).rpartition("/")[2]
        self.asked.append(name)
        self.prompts.append(task.request["prompt"])
        for path in self.delivers.get(name, ()):
            file = Path(attempt.cwd, path, "made.txt") if path.endswith("/") else Path(attempt.cwd, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(name)
        answer = self._answers.get(name)
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Answer(simplest(task.request.get("returns"), f"{name} done") if answer is None else answer)

    async def close(self) -> None:
        """Do nothing."""


def made(text: str, *known: str, name: str = "theirs.yaml", dialect: str = "") -> Imported:
    """Return what a text has become, with `crew` as the agent that answers."""
    found = imported(Source(name, text), Settings("crew", frozenset({"crew", *known})), dialect)
    assert found is not None
    return found


def checked(found: Imported) -> list[Diagnostic]:
    """Return what our own checks say to what a text has become."""
    project = Project()
    library = Library(project.patterns, {"run", "call", "crew"}, {"/made.yaml": found.text})
    definition, findings = library.open("/made.yaml", "made.yaml")
    return findings if definition is None else library.check(definition)


async def ran(file: Path, crew: Crew, inputs: Mapping[str, Any] | None = None) -> Ended:
    """Run a file to its end, in memory and in the folder that it lies in."""
    agents, engine = {"crew": crew}, MemoryEngine()
    project = Project(agents=agents, engine=engine, cwd=str(file.parent), default_agent="crew")
    try:
        loaded = project.load(str(file))
        assert loaded.model is not None
        crew.delivers = dict(_delivered(loaded.model))
        given = project.inputs_for(loaded, inputs or {})
        return await (await project.start(loaded, given)).wait()
    finally:
        await project.close()


def _delivered(definition: WorkflowDef) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    waiting: list[StepDef] = list(definition.steps.steps)
    while waiting:
        step = waiting.pop()
        if step.properties is not None and step.properties.delivers:
            paths = [one.value for one in step.properties.delivers if isinstance(one, Fixed)]
            found.append((step.name, [str(path) for path in paths]))
        if isinstance(step.action, PatternDef):
            inner = step.action.options.get("steps")
            waiting += inner if isinstance(inner, tuple) and not hasattr(inner, "steps") else []
    return found
