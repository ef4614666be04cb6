"""What is kept for other runs depends on nothing but what is asked and the files that are named."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.model import AgentDef, CallDef, Properties, RunDef, StepDef

CODE = "L273"
_FILELESS = frozenset({"scripted", "call"})  # back ends that look at no files of the run


def check_caches(subject: Subject) -> None:
    """Add each `cache` of a step whose output could not be known by its request."""
    for placed in subject.survey.steps:
        own = placed.step.properties
        if own is not None and own.cache:
            _check(subject, placed.step, own)


def _check(subject: Subject, step: StepDef, own: Properties) -> None:
    span = own.keys["cache"]
    if not isinstance(step.action, RunDef | CallDef | AgentDef):
        message = f"the output of a `{step.verb}` step cannot be kept for other runs"
        cause = "only `run`, `call` and `agent` ask for something that another run could ask for, too"
        fix = "give `cache` to the steps inside, or take it out"
        subject.findings.add(CODE, message, span, cause=cause, fix=fix)
    elif not own.reads and not own.requires and _looks_at_files(subject, step):
        message = "`cache` needs `reads` or `requires`"
        cause = "what it does may look at any file, and would be answered from an old run"
        fix = "name the files that it looks at: `reads: [src/**]`"
        subject.findings.add(CODE, message, span, cause=cause, fix=fix)


def _looks_at_files(subject: Subject, step: StepDef) -> bool:
    if isinstance(step.action, AgentDef):
        known = subject.definition.agents.get(step.action.agent)
        return known is None or known.backend not in _FILELESS
    return isinstance(step.action, RunDef)
