"""`{{ name }}` is how other systems write an expression; here it is only text."""

from __future__ import annotations

import re

from maestri.errors import Span
from maestri.lang.checks.subject import Subject
from maestri.lang.model import Fixed, RunDef, Templated
from maestri.lang.scopes import View

CODE = "L232"
_BRACES = r"\{\{-?\s*(?P<name>[A-Za-z_][A-Za-z0-9_-]*)(?P<path>(?:\.[A-Za-z_][\w-]*)*)\s*-?\}\}"


def check_braces(subject: Subject) -> None:
    """Add a warning for each name in double braces that an expression would see from there."""
    for use in subject.survey.uses:
        value = use.value
        if isinstance(value, Templated) or (isinstance(value, Fixed) and isinstance(value.value, str)):
            _check(subject, value.span, use.view, "")
    for placed in subject.survey.steps:
        if isinstance(placed.step.action, RunDef) and placed.step.action.text is not None:
            _check(subject, placed.step.action.text.span, placed.view, "; in `run`, hand it over by `env:`")


def _check(subject: Subject, span: Span, view: View, also: str) -> None:
    source = subject.definition.source
    start, end = source.offset(span.line, span.col), source.offset(span.end_line, span.end_col)
    if source.text.find("{{", start, end) < 0:
        return  # what is compiled here, most definitions do without
    for found in re.compile(_BRACES).finditer(source.text, start, end):
        if subject.findings.is_full("warning"):
            return
        if view.sees(found["name"]):
            written = f"{found['name']}{found['path']}"
            message = f"`{{{{ {written} }}}}` is only text"
            cause = "an expression is `${...}`; double braces mean nothing here"
            fix = f"write `${{{written}}}`{also}"
            place = source.span(found.start(), found.end())
            subject.findings.add(CODE, message, place, cause=cause, fix=fix, severity="warning")
