"""A call gives a workflow the inputs that it declares, of their types."""

from __future__ import annotations

from maestri.errors import Span
from maestri.lang.checks.subject import Subject
from maestri.lang.expressions.types import may_be
from maestri.lang.inputs import InputDef, fits
from maestri.lang.model import Dynamic, Fixed, Record, Templated, WorkflowDef
from maestri.lang.outputs import of_input
from maestri.lang.source import suggest
from maestri.lang.survey import Call
from maestri.values import plain_type

CODE = "L225"


def check_calls(subject: Subject) -> None:
    """Add what is missing, unknown or of a wrong type among the inputs of each call."""
    for call in subject.survey.calls:
        if call.target is not None:
            _check(subject, call, call.target)


def _check(subject: Subject, call: Call, target: WorkflowDef) -> None:
    if isinstance(call.given, Templated):
        return  # a mapping that is known only at run time
    given = call.given if isinstance(call.given, Record) else Record((), call.ref.span)
    names = {name for name, _ in given.entries}
    for name, one in target.inputs.items():
        if one.required and name not in names:
            message = f"`{target.name}` needs the input `{name}`"
            fix = f"add `inputs: {{{name}: …}}`" if not names else f"add `{name}: …` to its `inputs`"
            about = f": {one.description}" if one.description else ""
            cause = f"it declares `{name}` without a default{about}"
            subject.findings.add(CODE, message, call.ref.span, cause=cause, fix=fix)
    for name, value in given.entries:
        declared = target.inputs.get(name)
        if declared is None:
            _add_unknown(subject, name, value.span, target)
        elif not _may_fit(call, name, value, declared):
            kind = plain_type(value.value) if isinstance(value, Fixed) else call.types[name].kind
            message = f"the input `{name}` of `{target.name}` is of type {declared.type}, and this is {kind}"
            cause = f"it is declared as `type: {declared.type}`"
            subject.findings.add(CODE, message, value.span, cause=cause, fix=_fix(value, declared))


def _add_unknown(subject: Subject, name: str, span: Span, target: WorkflowDef) -> None:
    if not subject.findings.is_full():
        fix = suggest(name, list(target.inputs)[:200]) or "it has no inputs: take this out"
        message = f"`{target.name}` has no input `{name[:80]}`"
        cause = "a workflow takes the inputs that it declares, and no others"
        subject.findings.add(CODE, message, span, cause=cause, fix=fix)


def _may_fit(call: Call, name: str, value: Dynamic, declared: InputDef) -> bool:
    if isinstance(value, Fixed):
        return fits(value.value, declared.type)
    # What may be left out must still be of its type where it is given.
    wanted = of_input(declared._replace(required=True))
    return may_be(call.types[name], wanted.kind)


def _fix(value: Dynamic, declared: InputDef) -> str:
    if isinstance(value, Fixed) and declared.type in {"text", "path"} and value.value is not None:
        return "put it in quotes"
    return f"give a value of type {declared.type}"
