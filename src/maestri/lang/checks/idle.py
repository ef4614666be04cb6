"""A property that is written has something to act on."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.model import AgentDef, Properties, StepDef

CODE = "L277"


def check_idle(subject: Subject) -> None:
    """Add each property that would do nothing where it stands."""
    for placed in subject.survey.steps:
        own = placed.step.properties
        if own is not None:
            for key, why, fix in _idle(placed.step, own):
                message = f"`{key}` does nothing here"
                severity = "error" if key in {"verify", "handoff", "delivers", "requires"} else "warning"
                subject.findings.add(CODE, message, own.keys[key], cause=why, fix=fix, severity=severity)


def _idle(step: StepDef, own: Properties) -> list[tuple[str, str, str]]:
    found = [
        (key, "its list is empty, so that nothing is checked", f"name something, or take `{key}` out")
        for key in ("verify", "handoff", "delivers", "requires")
        if key in own.keys and not getattr(own, key)
    ]
    if "on_unmet" in own.keys and "handoff" not in own.keys:
        found.append(("on_unmet", "there is no `handoff` that could be unmet", "add `handoff:`"))
    if "repair_turns" in own.keys and own.returns is None:
        found.append(("repair_turns", "there is no `returns` that an answer must fit", "add `returns:`"))
    elif "repair_turns" in own.keys and not isinstance(step.action, AgentDef):
        cause = f"a `{step.verb}` step cannot be told what was wrong with its answer"
        found.append(("repair_turns", cause, "use `retry`"))
    return found
