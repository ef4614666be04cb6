"""Everything about one step or scope: what `maestri show RUN PATH` says."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

from maestri.cli.contest import contest_lines
from maestri.cli.terminal import Terminal
from maestri.errors import PathNotFound
from maestri.kernel import state
from maestri.kernel.events import Stored
from maestri.kernel.path import ROOT, parent
from maestri.kernel.ports import Reader, RunInfo
from maestri.project import Project
from maestri.project.parts import load
from maestri.records import NamedTuple
from maestri.report.lines import Lines
from maestri.report.outline import BAD, BOLD, STYLES, outline
from maestri.report.output import failure_diagnostic, pretty
from maestri.report.reading import SCOPE_EVENTS, read_tree, status_of
from maestri.report.tree import Tree, grown
from maestri.report.wording import one_line, size

STATED: Final = "maestri.report.stated:stated_at"
_STATED: Final = ("needs", "requires", "reads", "delivers", "verify", "handoff", "estimate")


class Facts(NamedTuple):
    """What a journal has about one step or scope."""

    own: Sequence[Stored]
    tree: Tree

    def last(self, *fields: str) -> Any:
        """Return the newest value of a field in the bodies of its events."""
        for event in reversed(self.own):
            for field in fields:
                if field in event.body:
                    return event.body[field]
        return None


def facts_of(reader: Reader, run: RunInfo, path: str) -> Facts:
    """Return what the journal has at a path.

    Raises:
        PathNotFound: It has nothing there.
    """
    if path == ROOT:
        message = "`/` is the run itself, not a step of it"
        fix = f"give the path of a step: `maestri show {run.name}` lists them"
        raise PathNotFound(message, fix=fix, run=run.name)
    scope, segment = parent(path)
    around = reader.scope(scope, SCOPE_EVENTS)
    own = [event for event in around if event.name == segment]
    below = reader.scope(path, SCOPE_EVENTS)
    if not own and (below or len(around) >= SCOPE_EVENTS):
        own = list(reader.step(path))  # it is not among the last of its scope
    if not own and not below:
        message = f"`{path}` is no step of this run"
        raise PathNotFound(message, fix=f"`maestri show {run.name}` lists its steps", run=run.name, path=path)
    tree = _tree(reader, path, [*own, *below])
    if status_of(run.end, run.waiting, alive=run.alive) == state.INTERRUPTED:
        tree.interrupt()
    return Facts(own, tree)


def _tree(reader: Reader, path: str, events: Sequence[Stored]) -> Tree:
    """Return the tree of the run if it reaches down to a path, else one of the path alone."""
    tree = read_tree(reader)
    if path in tree.run.steps and (path in tree.children or not tree.step(path).is_scope):
        return tree
    return grown(sorted(events, key=lambda event: event.seq))


def step_json(project: Project, reader: Reader, run: RunInfo, path: str) -> dict[str, Any]:
    """Return everything about a step as a JSON object.

    Raises:
        PathNotFound: The journal has nothing there.
    """
    facts = facts_of(reader, run, path)
    step = facts.tree.step(path)
    return {
        "run": run.name,
        **{key: value for key, value in step._asdict().items() if value not in {None, ""}},
        "output": facts.last("output"),
        "failure": facts.last("failure") if step.state == state.FAILED else None,
        "usage": facts.last("usage"),
        "artifacts": facts.last("artifacts") or [],
        "events": [event.as_json() for event in facts.own],
        "stated": dict(_stated(project, reader, run, str(facts.last("source") or ""))),
        "children": [child.path for child in facts.tree.below(path)],
        "logs": [{"attempt": number, "file": file} for number, file in project.log_files(run, path)],
    }


def step_text(project: Project, reader: Reader, run: RunInfo, path: str, terminal: Terminal) -> str:
    """Return everything about a step as text.

    Raises:
        PathNotFound: The journal has nothing there.
    """
    facts = facts_of(reader, run, path)
    step = facts.tree.step(path)
    word = terminal.style(step.state, STYLES.get(step.state, ""))
    kind = one_line(step.pattern or step.agent)
    parts = [f"{terminal.style(path, BOLD)}  {word}  {kind}".rstrip(), f"run     {one_line(run.name)}"]
    source = facts.last("source")
    if source:
        parts.append(f"source  {one_line(str(source))}")
    parts += [f"{key:<8}{text}" for key, text in _stated(project, reader, run, str(source or ""))]
    if path in facts.tree.children:
        parts += contest_lines(reader, path, facts.last("remark"))
    parts += _history(facts.own)
    parts += [f"log     {one_line(file)} (attempt {n})" for n, file in project.log_files(run, path)]
    for artifact in facts.last("artifacts") or ():
        parts.append(f"artifact  {_artifact(artifact)}")
    parts += _children(facts, path, run, terminal)
    parts += _ending(facts, run, path, terminal)
    return "\n".join(parts)


def _stated(project: Project, reader: Reader, run: RunInfo, source: str) -> list[tuple[str, str]]:
    """Return what the definition says of the step beside what it does; most say nothing, and are not read."""
    record = reader.run_events()[0].body["definition"]
    texts = record.get("files", {}).values()
    if not source or not any(f"{key}:" in text for key in _STATED for text in texts):
        return []
    model = project.model_of(run)
    return [] if model is None else load(STATED)(model, source)


def _history(own: Sequence[Stored]) -> list[str]:
    lines = Lines()
    shown = [lines.line(event) for event in own]
    return ["", *shown, ""] if shown else []


def _artifact(artifact: dict[str, Any]) -> str:
    name, digest = one_line(str(artifact.get("name", ""))), one_line(str(artifact.get("artifact", "")))
    return f"{name}  {size(artifact.get('size_bytes', 0))}  sha256 {digest}"


def _children(facts: Facts, path: str, run: RunInfo, terminal: Terminal) -> list[str]:
    if path not in facts.tree.children:
        return []
    look = terminal.look(time.time() if run.alive else 0.0, words=True)
    return [terminal.styled(line) for line in outline(facts.tree, look, top=path)]


def _ending(facts: Facts, run: RunInfo, path: str, terminal: Terminal) -> list[str]:
    step = facts.tree.step(path)
    if step.state == state.FAILED and (failure := facts.last("failure")):
        return ["", terminal.style(failure_diagnostic(failure, run.name, path).text(), BAD)]
    output = facts.last("output")
    if step.state == state.SUCCEEDED and output is not None:
        return ["", "output:", pretty(output, f"maestri show {run.name} {path} --json")]
    return []
