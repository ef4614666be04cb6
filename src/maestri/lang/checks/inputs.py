"""Every input that is used is declared."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.expressions.references import Reference
from maestri.lang.model import Templated
from maestri.lang.scopes import INPUTS
from maestri.lang.source import suggest

CODE = "L212"


def check_inputs(subject: Subject) -> None:
    """Add each use of an input that there is not."""
    for use in subject.survey.uses:
        if isinstance(use.value, Templated):
            for reference in use.value.template.references():
                if reference.name == INPUTS:
                    _check(subject, use.value, reference)


def _check(subject: Subject, value: Templated, reference: Reference) -> None:
    declared = subject.definition.inputs
    wanted = reference.path[0] if reference.path else None
    if wanted in declared or (declared and wanted is None) or isinstance(wanted, int):
        return
    if wanted is None:
        message, fix = "this workflow has no inputs", "declare them: `inputs: {NAME: text}`"
        cause = "`inputs` are what the workflow declares under `inputs:`, and it declares none"
    else:
        message = f"there is no input `{str(wanted)[:80]}`"
        fix = suggest(wanted, list(declared)[:200]) or f"declare it: `inputs: {{{wanted[:80]}: text}}`"
        cause = "a workflow has the inputs that it declares under `inputs:`"
        if subject.outer is not None:
            cause = f"`{subject.definition.name}` has the inputs that it declares itself, and no others"
    subject.findings.inside(value.scalar, reference.start, reference.end, CODE, message, cause=cause, fix=fix)
