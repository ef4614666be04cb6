"""Workers of Czarina: a graph by their dependencies, with what each delivers, reads and may change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from maestri.importers.recognising import is_worker
from maestri.importers.scribe import (
    NEEDS,
    NOTHING,
    SHAPE,
    TWICE,
    Scribe,
    duration,
    lines_of,
    literal,
    number,
    step_name,
    text,
    texts,
)
from maestri.importers.writing import At
from maestri.lang.source import suggest
from maestri.lang.tree import Mapping, Scalar, Sequence, Tree
from maestri.records import NamedTuple

_WORKER: Final = (
    "id", "name", "agent", "role", "description", "instructions", "mission", "task", "tasks", "dependencies",
    "depends_on", "reason", "deliverables", "outputs", "inputs", "references", "owns", "budget",
    "token_budget", "phase", "merges", "success_criteria", "branch",
)  # fmt: skip
_TOP: Final = ("project", "workers", "orchestration", "version", "name", "description", "events")
_PROJECT: Final = ("name", "slug", "version", "description", "phase")
_SHARED: Final = "all workers share the folder of the run here; what one may change is said in its prompt"
_CLAIM: Final = "import the file, and give the step `workspace: worktree` and `claims: [...]`"


class Worker(NamedTuple):
    """One worker: its name here and there, the place of its name, and what it says of itself."""

    name: str
    written: str
    at: Tree
    table: Mapping


def read_czarina(scribe: Scribe, tree: Mapping, stem: str) -> dict[str, Any]:
    """Return a file of workers as a document of ours; what is said about it goes to the scribe.

    Args:
        scribe: Takes down findings.
        tree: The file.
        stem: The name of the file without its ending, for a project that has no name.
    """
    found = tree.get("project")
    project = found if isinstance(found, Mapping) else Mapping([], tree.span)
    title = text(project.get("slug")) or text(project.get("name")) or text(tree.get("name"))
    document: dict[str, Any] = {"workflow": At(step_name(title or stem), 1)}
    for key in ("version", "description"):
        words = text(project.get(key)) or text(tree.get(key))
        if words:
            document[key] = literal(words)
    limit = _limit(scribe, tree.get("orchestration"))
    if limit:
        document["timeout"] = limit
    workers = _workers(scribe, tree)
    if not workers:
        _nothing(scribe, tree)
    if tree.get("workers") is not None:
        scribe.unread(tree, _TOP, "this file")
        scribe.unread(project, _PROJECT, "`project`", met=("repository",))
    steps = {one.name: At(_step(scribe, one, workers), one.at.span.line) for one in workers.values()}
    document["steps"] = {"workers": {"graph": {"steps": steps}}}
    return document


def _nothing(scribe: Scribe, tree: Mapping) -> None:
    message, cause = "there are no workers in this file", "a workflow needs something to do"
    fix = "write `workers:` with a list of `- id: NAME`"
    if tree.get("events") is not None or tree.get("worker_id") is not None:
        message = "this describes events of workers, and no workers"
        cause = "events are what a run writes: there is nothing in it that could be run"
        fix = "run a file of workers, and look at its events: `maestri events @last`"
    scribe.error(NOTHING, message, tree.entries[0].key if tree.entries else tree, cause=cause, fix=fix)


def _limit(scribe: Scribe, tree: Tree | None) -> str | None:
    if not isinstance(tree, Mapping):
        return None
    scribe.unread(tree, ("timeout_hours", "mode"), "`orchestration`", met=("allow_parallel_when_possible",))
    hours = tree.get("timeout_hours")
    return duration(hours, unit="h")


def _workers(scribe: Scribe, tree: Mapping) -> dict[str, Worker]:
    """Return the workers by the names that they have in the file."""
    found: dict[str, Worker] = {}
    taken: set[str] = set()
    for written, at, table in _tables(scribe, tree):
        if written in found:
            message, cause = (
                f"two workers are called `{written[:60]}`",
                "others depend on a worker by its name",
            )
            scribe.error(TWICE, message, at, cause=cause, fix="rename one of them")
            continue
        name = step_name(written, taken)
        taken.add(name)
        found[written] = Worker(name, written, at, table)
    return found


def _tables(scribe: Scribe, tree: Mapping) -> Iterator[tuple[str, Tree, Mapping]]:
    listed = tree.get("workers")
    if isinstance(listed, Sequence):
        for one in listed.items:
            place = (one.get("id") or one.get("name")) if isinstance(one, Mapping) else one
            if isinstance(one, Mapping) and text(place):
                yield text(place), place or one, one
            elif isinstance(one, Scalar) and one.text:
                yield one.text, one, Mapping([], one.span)
            else:
                scribe.refuse(one, "this worker", "write `- id: NAME`, with its other keys below it")
        return
    table = listed if isinstance(listed, Mapping) else tree
    for entry in table.entries:
        if isinstance(entry.value, Mapping) and (table is listed or is_worker(entry.value)):
            yield entry.key.text, entry.key, entry.value


# --- one worker -----------------------------------------------------------------------------------


def _step(scribe: Scribe, worker: Worker, workers: dict[str, Worker]) -> dict[str, Any]:
    table = worker.table
    scribe.unread(table, _WORKER, f"the worker `{worker.written}`")
    step: dict[str, Any] = {}
    needs = _needs(scribe, worker, workers)
    if needs:
        step["needs"] = needs
    reason = text(table.get("reason"))
    if reason and needs:
        step["reason"] = literal(reason)
    step["agent"] = scribe.agent(worker.written, text(table.get("agent")), line=worker.at.span.line)
    files = _Files(scribe, worker, workers)
    delivers = files.paths("deliverables") + files.paths("outputs")
    requires, reads = files.paths("inputs"), files.paths("references")
    step["prompt"] = _prompt(worker, workers, files.words)
    files_by_key = {"requires": requires, "reads": reads, "delivers": delivers}
    step |= {key: paths for key, paths in files_by_key.items() if paths}
    expected = _estimate(scribe, table)
    if expected:
        step["estimate"] = expected
    for key in ("owns", "branch"):
        scribe.left_out(table.entry(key), _SHARED, _CLAIM)
    return step


def _needs(scribe: Scribe, worker: Worker, workers: dict[str, Worker]) -> list[Any]:
    found: dict[str, At] = {}
    for one in texts(worker.table.get("dependencies")) + texts(worker.table.get("depends_on")):
        if one.text in workers:
            found[one.text] = At(workers[one.text].name, one.span.line)
            continue
        message = f"`{worker.written}` depends on `{one.text[:60]}`, and there is no such worker"
        cause = "a dependency is the `id` of another worker of this file"
        scribe.error(NEEDS, message, one, cause=cause, fix=suggest(one.text, workers))
    for other in _phase_before(worker, workers):
        found.setdefault(other.written, At(other.name, worker.at.span.line))
    return list(found.values())


def _phase_before(worker: Worker, workers: dict[str, Worker]) -> list[Worker]:
    """Return the workers of the phase before: a phase begins when the one before it is over."""
    own = number(worker.table.get("phase"))
    phases = {phase for one in workers.values() if (phase := number(one.table.get("phase"))) is not None}
    before = max((phase for phase in phases if own is not None and phase < own), default=None)
    return [
        one for one in workers.values() if before is not None and number(one.table.get("phase")) == before
    ]


def _prompt(worker: Worker, workers: dict[str, Worker], words: dict[str, list[str]]) -> str:
    table = worker.table
    told = [text(table.get(key)) for key in ("description", "mission", "instructions", "task")]
    role, merges = text(table.get("role")), [one.text for one in texts(table.get("merges"))]
    owns = [one.text for one in texts(table.get("owns"))]
    criteria = [one.text for one in texts(table.get("success_criteria"))]
    tasks = [one.text for one in texts(table.get("tasks"))]
    behind = [one.written for one in workers.values() if worker.written in _depends(one)]
    parts = [
        f"You are the worker `{worker.written}`{f' in the role {role}' if role else ''}.",
        *told,
        f"Tasks: {'; '.join(tasks)}." if tasks else "",
        f"Change only these files: {', '.join(owns)}." if owns else "",
        f"Merge the work of: {', '.join(merges)}." if merges else "",
        *(f"{key.capitalize()}: {', '.join(found)}." for key, found in words.items() if found),
        f"You are done when: {'; '.join(criteria)}." if criteria else "",
        f"These workers build on what you do: {', '.join(behind)}." if behind else "",
    ]
    return literal(lines_of(parts))


def _depends(worker: Worker) -> set[str]:
    return {
        one.text for one in texts(worker.table.get("dependencies")) + texts(worker.table.get("depends_on"))
    }


class _Files:
    """The files that a worker names, as they are found from the folder of the run."""

    def __init__(self, scribe: Scribe, worker: Worker, workers: dict[str, Worker]) -> None:
        self.words: dict[str, list[str]] = {}
        self._scribe = scribe
        self._table = worker.table
        self._workers = workers

    def paths(self, key: str) -> list[Any]:
        """Return the paths under a key; what is no path, but words, goes into the prompt."""
        found = []
        for one in texts(self._table.get(key)):
            path = self._path(one.text)
            if path is not None:
                found.append(At(literal(path), one.span.line))
                continue
            self.words.setdefault(key, []).append(one.text)
            message = f"`{one.text[:60]}` under `{key}` is read as words, not as the path of a file"
            cause = "there is a blank in it"
            fix = "write a path such as `docs/report.md`, so that it can be checked"
            self._scribe.warn(SHAPE, message, one, cause=cause, fix=fix)
        return found

    def _path(self, written: str) -> str | None:
        if " " in written.strip():
            return None
        # Workers of theirs stand side by side; here they share one folder.
        found = re.match(r"\.\./([^/]+)/(.+)", written)
        return found[2] if found is not None and found[1] in self._workers else written


def _estimate(scribe: Scribe, table: Mapping) -> dict[str, Any]:
    budget, made = table.get("budget"), dict[str, Any]()
    tokens = table.get("token_budget")
    if isinstance(budget, Mapping):
        scribe.unread(budget, ("tokens", "duration"), "`budget`")
        tokens = budget.get("tokens") or tokens
        length = duration(budget.get("duration"))
        if length:
            made["duration"] = At(length, budget.span.line)
        elif budget.get("duration") is not None:
            scribe.refuse(budget.get("duration") or budget, "this duration", "write `2h` or `2-3 days`")
    if isinstance(tokens, Mapping):
        tokens = tokens.get("projected") or tokens.get("recommended") or tokens.get("max")
    count = number(tokens)
    why = "a budget is an estimate in this version: what is used beyond it is not stopped"
    for key in ("budget", "token_budget"):
        scribe.left_out(table.entry(key), why, "watch what is used: `maestri show @last`")
    return {**({"tokens": count} if count else {}), **made}
