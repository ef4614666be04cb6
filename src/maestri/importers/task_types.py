"""`task_types` of a task orchestrator: which specialists a task goes to, by keywords, with their fallback."""

from __future__ import annotations

import json
from typing import Any, Final

from maestri.importers.scribe import Scribe, is_true, literal, number, step_name, text, texts
from maestri.importers.specialists import Specialist, listed, streams
from maestri.importers.writing import At
from maestri.lang.tree import Mapping

_TYPE: Final = (
    "description", "primary_agent", "primary_agents", "fallback_agent", "trigger_keywords",
    "parallel_execution", "max_concurrent", "sync_points",
)  # fmt: skip
_FILE: Final = (
    "version",
    "name",
    "description",
    "task",
    "task_types",
    "fallback_strategy",
    "execution_rules",
)
_STRATEGY: Final = ("on_agent_unavailable", "on_agent_error", "on_unknown_task")


def read_task_types(scribe: Scribe, tree: Mapping) -> dict[str, Any]:
    """Return a table of task types as one branch: the first type of which a keyword is in the task."""
    scribe.unread(tree, _FILE, "this file", met=("schema_version",))
    strategy = _strategy(scribe, tree)
    types = tree.get("task_types")
    arms: dict[str, Any] = {}
    for entry in types.entries if isinstance(types, Mapping) else ():
        if not isinstance(entry.value, Mapping):
            scribe.refuse(entry.value, f"the task type `{entry.key.text}`", "write `primary_agent:` under it")
            continue
        table = entry.value
        scribe.unread(table, _TYPE, f"the task type `{entry.key.text}`")
        if table.get("primary_agent") is None and table.get("primary_agents") is None:
            scribe.refuse(
                entry.key, f"the task type `{entry.key.text}`", "say who does it: `primary_agent: NAME`"
            )
            continue
        words = [one.text.lower() for one in texts(table.get("trigger_keywords"))]
        tests = [f"contains(lower(inputs.task), {json.dumps(word)})" for word in words]
        when = {"when": "${" + " or ".join(tests) + "}"} if tests else {"when": "${false}"}
        arms[step_name(entry.key.text, arms)] = At(
            {**when, "steps": _work(scribe, table, strategy)}, entry.key.span.line
        )
    unknown = text(strategy.get("on_unknown_task")) if strategy is not None else ""
    arms[step_name("unknown-task", arms)] = _otherwise(scribe, unknown, tree.span.line)
    return {"route": {"branch": arms}}


def _strategy(scribe: Scribe, tree: Mapping) -> Mapping | None:
    rules = tree.get("execution_rules")
    found = tree.get("fallback_strategy")
    if isinstance(rules, Mapping):
        found = rules.get("fallback_strategy") or found
        scribe.unread(rules, ("fallback_strategy",), "`execution_rules`")
    if not isinstance(found, Mapping):
        return None
    scribe.unread(found, _STRATEGY, "`fallback_strategy`")
    return found


def _work(scribe: Scribe, table: Mapping, strategy: Mapping | None) -> dict[str, Any]:
    team = listed(scribe, table.get("primary_agents")) + listed(scribe, table.get("primary_agent"))
    about = text(table.get("description"))
    told = f"${{inputs.task}}\n{literal(about)}" if about else "${inputs.task}"
    points = [(one.text, one.span.line) for one in texts(table.get("sync_points"))]
    retry = _retry(strategy)
    work: dict[str, Any] = {}
    for one in team:
        work[step_name(one.name, work)] = At({**one.step(told), **retry}, one.line)
    if points and len(team) > 1:
        work = streams(points, team, told)
    elif len(work) > 1 and is_true(table.get("parallel_execution")):
        most = number(table.get("max_concurrent"))
        work = {"team": {"parallel": {**({"max_concurrent": most} if most else {}), "branches": work}}}
    second = listed(scribe, table.get("fallback_agent"))
    if not second:
        return work
    branches = {"primary": {"steps": work}, "fallback": second[0].step(told)}
    return {"work": At({"fallback": {"branches": branches}}, second[0].line)}


def _retry(strategy: Mapping | None) -> dict[str, Any]:
    word = text(strategy.get("on_agent_error")) if strategy is not None else ""
    return {"retry": {"max": 2}} if word.startswith("retry_once") else {}


def _otherwise(scribe: Scribe, word: str, line: int) -> dict[str, Any]:
    if "ask" in word or "human" in word or "user" in word:
        return {"steps": {"ask": {"ask": "Nobody is known for this task: ${inputs.task}. Who is to do it?"}}}
    name = word.removeprefix("use_").replace("_", "-") or "general-purpose"
    return {"steps": {step_name(name): Specialist(name, line, scribe).step("${inputs.task}")}}
