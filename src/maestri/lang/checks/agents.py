"""Every agent that is asked is configured."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.model import AgentDef
from maestri.lang.source import suggest

CODE = "L228"


def check_agents(subject: Subject) -> None:
    """Add each agent that is not known; where none is known, there is nothing to compare with."""
    for placed in subject.survey.steps:
        action = placed.step.action
        if isinstance(action, AgentDef) and _is_unknown(subject, action.agent):
            message = f"there is no agent `{action.agent[:80]}`"
            fix = suggest(action.agent, [*subject.definition.agents, *subject.known_agents])
            cause = "`agent:` names an agent that this project has"
            subject.findings.add(CODE, message, action.span, cause=cause, fix=fix)


def _is_unknown(subject: Subject, agent: str) -> bool:
    known = subject.known_agents
    if agent in subject.definition.agents:
        return False
    return bool(agent and known) and agent not in known and not subject.findings.is_full()
