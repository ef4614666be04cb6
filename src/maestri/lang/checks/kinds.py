"""What stands somewhere is of a type that can stand there."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.expressions.types import may_be
from maestri.lang.survey import TRUTH, Use

CODE = "L217"


def check_kinds(subject: Subject) -> None:
    """Add each value whose type is known and wrong."""
    for use in subject.survey.uses:
        if not may_be(use.type, use.wanted) and not use.problems:
            _add(subject, use)


def _add(subject: Subject, use: Use) -> None:
    found = use.type.kind
    if found == "null":
        message, fix = f"{use.what} is null", 'give a value; an expression may say `default(x, "")`'
        cause = "null is no value that could be handed on here"
    elif use.wanted == TRUTH:
        message = f"{use.what} is a {found}, neither true nor false"
        cause, fix = "no other value stands for true or false", _as_condition(found)
    else:
        wanted = " or ".join(f"a {kind}" for kind in use.wanted.split("|") if kind != "null")
        message, fix = f"{use.what} must be {wanted}, and this is a {found}", f"give {wanted}"
        cause = "a value is never turned into one of another type by itself"
    subject.findings.add(CODE, message, use.value.span, cause=cause, fix=fix)


def _as_condition(kind: str) -> str:
    if kind in {"text", "list", "mapping"}:
        return "compare it: `${len(x) > 0}`" if kind != "text" else 'compare it: `${x == "yes"}`'
    return "compare it: `${x > 0}`"
