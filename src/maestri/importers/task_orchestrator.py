"""Blocks of the task orchestrator: named specialists at once, in turn, with sync points, reviewed, by label.

| theirs | ours |
|---|---|
| `conditional_logic` | the analyzer answers a label; `branch` |
| `fan_out`, `fan_in` | `parallel`, and a step |
| `phases` with a `validator` | `phases` with `validate` |
| `primary_agent`, `reviewer_agents` | `review` |
| `sync_points` | `streams` that meet at them |
| `handoff_artifacts` | steps in order, each of which hands on what it made |
| `parallel_execution` | `parallel`, or steps in order |
| `task_types` | `branch` by keywords, each with its fallback agent |
"""

from __future__ import annotations

import json
from typing import Any, Final

from maestri.importers.scribe import (
    Scribe,
    is_false,
    is_true,
    lines_of,
    literal,
    number,
    step_name,
    text,
    texts,
)
from maestri.importers.specialists import Specialist, listed, specialist, streams
from maestri.importers.task_types import read_task_types
from maestri.importers.writing import At
from maestri.lang.tree import Mapping, Scalar, Sequence, Tree

NOBODY: Final = "L318"
TASK: Final = "${inputs.task}"

_TOP: Final = ("name", "description", "task", "version", "workflow")
_TEAM: Final = ("agents", "primary_agents", "primary_agent", "tasks", "work_items", "streams")
_FIX: Final = "name them: `agents: [backend, frontend]`, or `tasks: [{agent: backend, task: ...}]`"
_APPROVAL: Final = {
    "type": "object",
    "required": ["approved"],
    "properties": {"approved": {"type": "boolean"}, "notes": {"type": "string"}},
}


def read_task_orchestrator(scribe: Scribe, tree: Mapping, stem: str) -> dict[str, Any]:
    """Return a block as a document of ours; what is said about it goes to the scribe.

    Args:
        scribe: Takes down findings.
        tree: The file.
        stem: The name of the file without its ending.
    """
    about = text(tree.get("task")) or text(tree.get("description")) or f"The task of `{stem}`."
    document: dict[str, Any] = {"workflow": At(step_name(text(tree.get("name")) or stem), 1)}
    if text(tree.get("version")):
        document["version"] = text(tree.get("version"))
    task = {"type": "text", "default": about, "description": "what is to be done"}
    document["inputs"] = {"task": At(task, 1)}
    for key, read in _BLOCKS.items():
        if tree.get(key) is not None:
            document["steps"] = read(scribe, tree)
            return document
    document["steps"] = _team(scribe, tree)
    return document


# --- labels ---------------------------------------------------------------------------------------


def _conditional(scribe: Scribe, tree: Mapping) -> dict[str, Any]:
    logic = tree.get("conditional_logic")
    if not isinstance(logic, Mapping):
        scribe.refuse(logic or tree, "`conditional_logic`", "write `analyzer:` and `branches:` under it")
        return {}
    scribe.unread(tree, (*_TOP, "conditional_logic"), "this block")
    scribe.unread(logic, ("analyzer", "branches", "default"), "`conditional_logic`")
    branches = logic.get("branches")
    items = (
        [one for one in branches.items if isinstance(one, Mapping)] if isinstance(branches, Sequence) else []
    )
    labels = list(dict.fromkeys(text(one.get("condition")) for one in items if text(one.get("condition"))))
    if not labels:
        scribe.refuse(branches or logic, "`branches`", "write `- {condition: LABEL, agent: NAME}` for each")
        return {}
    analyzer = specialist(scribe, logic.get("analyzer") or logic)
    prompt = f"{TASK}\nAnalyse it. Answer with one of these labels: {literal(', '.join(labels))}."
    label: dict[str, Any] = {"type": "object", "required": ["label"]}
    label["properties"] = {"label": {"enum": labels}}
    steps: dict[str, Any] = {}
    steps["analyze"] = At(analyzer.step(prompt, returns=label, outputs=["label"]), analyzer.line)
    arms: dict[str, Any] = {}
    for one in items:
        scribe.unread(one, ("condition", "agent", "task"), "a branch")
        words, who = text(one.get("condition")), specialist(scribe, one.get("agent") or one)
        name = step_name(words or "otherwise", arms)
        found = f"{TASK}\nThe analysis says: ${{analyze.label}}.{_also(one)}"
        when = (
            {"when": "${analyze.label == " + json.dumps(words) + "}"} if words and words != "default" else {}
        )
        arms[name] = At({**when, "steps": {who.name: who.step(found)}}, one.span.line)
    # What is taken where nothing else is comes last.
    ordered = dict(sorted(arms.items(), key=lambda one: "when" not in one[1].value))
    steps["route"] = At({"branch": ordered}, logic.span.line)
    return steps


def _also(table: Mapping) -> str:
    words = text(table.get("task"))
    return f"\n{literal(words)}" if words else ""


# --- fan-out --------------------------------------------------------------------------------------


def _fan(scribe: Scribe, tree: Mapping) -> dict[str, Any]:
    scribe.unread(
        tree, (*_TOP, "fan_out", "fan_in", "max_concurrent"), "this block", met=("parallel_execution",)
    )
    out, into = tree.get("fan_out"), tree.get("fan_in")
    steps: dict[str, Any] = {}
    if isinstance(out, Mapping):
        scribe.unread(out, ("agent", "agents", "tasks", "parallel", "max_concurrent"), "`fan_out`")
        branches: dict[str, Any] = {}
        one_for_all = out.get("agent")
        for item in _items(out.get("tasks")):
            own = item.get("agent") if isinstance(item, Mapping) else None
            who = specialist(scribe, own or one_for_all or out)
            words = text(item.get("task") or item.get("name")) if isinstance(item, Mapping) else text(item)
            part = who.step(f"{TASK}\nYour part: {literal(words)}.")
            branches[step_name(words, branches)] = At(part, item.span.line)
        if not branches:
            scribe.refuse(out, "`fan_out`", "write `tasks:` with a list under it")
        most = number(out.get("max_concurrent")) or number(tree.get("max_concurrent"))
        if is_false(out.get("parallel")):
            steps["fan-out"] = {"steps": branches, "output": {name: f"${{{name}}}" for name in branches}}
        else:
            steps["fan-out"] = {
                "parallel": {**({"max_concurrent": most} if most else {}), "branches": branches}
            }
    if isinstance(into, Mapping):
        scribe.unread(into, ("agent", "task"), "`fan_in`")
        who = specialist(scribe, into.get("agent") or into)
        given = "\nWhat the others made: ${fan-out}" if "fan-out" in steps else ""
        words = literal(text(into.get("task")) or "bring everything together")
        name = step_name(text(into.get("task")) or "fan-in", steps)
        steps[name] = At(who.step(f"{TASK}\nYour part: {words}.{given}"), into.span.line)
    return steps


def _items(tree: Tree | None) -> list[Tree]:
    return tree.items if isinstance(tree, Sequence) else ([] if tree is None else [tree])


# --- phases and reviews ---------------------------------------------------------------------------


def _phases(scribe: Scribe, tree: Mapping) -> dict[str, Any]:
    scribe.unread(tree, (*_TOP, "phases"), "this block", met=("sequential", "parallel_execution"))
    phases: dict[str, Any] = {}
    for number_, one in enumerate(_items(tree.get("phases")), 1):
        if not isinstance(one, Mapping):
            scribe.refuse(one, "this phase", "write `- {name: ..., agent: ..., validator: ...}`")
            continue
        scribe.unread(one, ("name", "agent", "validator", "task", "description"), "a phase")
        words = text(one.get("name")) or f"phase-{number_}"
        who = specialist(scribe, one.get("agent") or one)
        told = literal(text(one.get("task")) or text(one.get("description")))
        prompt = lines_of([TASK, f"This phase: {literal(words)}.", told])
        phase: dict[str, Any] = {"steps": {who.name: At(who.step(prompt), one.span.line)}}
        if one.get("validator") is not None:
            judge = specialist(scribe, one.get("validator") or one)
            asked = f"{TASK}\nValidate the phase {literal(words)}. Its result: ${{output}}"
            phase["validate"] = {"steps": {judge.name: At(judge.step(asked, returns=_APPROVAL), judge.line)}}
            phase["validate"]["output"] = f"${{{judge.name}.approved}}"
        phases[step_name(words, phases)] = At(phase, one.span.line)
    return {"phases": {"phases": phases}}


def _review(scribe: Scribe, tree: Mapping) -> dict[str, Any]:
    scribe.unread(
        tree,
        (*_TOP, "primary_agent", "reviewer_agents", "max_rounds", "policy"),
        "this block",
        met=("parallel_execution",),
    )
    if is_false(tree.get("parallel_execution")):
        why = "reviewers read the same work and do not wait for each other here"
        scribe.left_out(tree.entry("parallel_execution"), why, "nothing: what they say is the same")
    who = specialist(scribe, tree.get("primary_agent") or tree)
    reviewers: dict[str, Any] = {}
    for one in listed(scribe, tree.get("reviewer_agents")):
        asked = f"{TASK}\nReview this work: ${{work}}"
        reviewers[step_name(one.name, reviewers)] = At(one.step(asked, returns=_APPROVAL), one.line)
    prompt = f"{TASK}\nRound ${{round}}. What the reviewers said: ${{verdicts}}"
    most = number(tree.get("max_rounds"))
    options: dict[str, Any] = {"max_rounds": most} if most else {}
    if text(tree.get("policy")) in {"veto", "majority"}:
        options["policy"] = text(tree.get("policy"))
    made = {
        **options,
        "primary": {"steps": {who.name: At(who.step(prompt), who.line)}},
        "reviewers": reviewers,
    }
    return {"review": {"review": made}}


# --- a team ---------------------------------------------------------------------------------------


def _team(scribe: Scribe, tree: Mapping) -> dict[str, Any]:
    """Specialists at once or in turn, with sync points and what they hand on."""
    read = (*_TOP, *_TEAM, "parallel_execution", "max_concurrent", "sync_points", "handoff_artifacts")
    scribe.unread(tree, read, "this block")
    team: list[Specialist] = []
    for key in _TEAM:
        team += listed(scribe, tree.get(key))
    artifacts, points = texts(tree.get("handoff_artifacts")), texts(tree.get("sync_points"))
    is_parallel = is_true(tree.get("parallel_execution")) or bool(points)
    if artifacts and not (is_parallel and team):
        return _handoffs(scribe, artifacts, team)
    if not team:
        first = tree.entries[0].key if tree.entries else tree
        message = "nothing here says who works"
        cause = "this block says how a team works together, and names neither its agents nor their tasks"
        scribe.error(NOBODY, message, first, cause=cause, fix=_FIX)
        return {}
    if points:
        return streams([(one.text, one.span.line) for one in points], team, TASK)
    steps: dict[str, Any] = {}
    for one in team:
        steps[step_name(one.title, steps)] = At(one.step(lines_of([TASK, one.part])), one.line)
    if not is_parallel:
        return steps
    most = number(tree.get("max_concurrent"))
    return {"team": {"parallel": {**({"max_concurrent": most} if most else {}), "branches": steps}}}


def _handoffs(scribe: Scribe, artifacts: list[Scalar], team: list[Specialist]) -> dict[str, Any]:
    """Steps in order, of which each makes an artifact and is given those before it."""
    steps: dict[str, Any] = {}
    known: list[str] = []
    for number_, one in enumerate(artifacts):
        who = team[number_ % len(team)] if team else Specialist("", one.span.line, scribe)
        given = [f"- {name}: ${{{name}}}" for name in known]
        prompt = lines_of([TASK, who.part, f"Make this and hand it on: {literal(one.text)}.", *given])
        name = step_name(one.text, steps)
        steps[name] = At(who.step(prompt), one.span.line)
        known.append(name)
    return steps


_BLOCKS: Final = {
    "task_types": read_task_types,
    "conditional_logic": _conditional,
    "fan_out": _fan,
    "fan_in": _fan,
    "phases": _phases,
    "reviewer_agents": _review,
}
