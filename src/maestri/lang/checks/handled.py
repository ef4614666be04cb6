"""The failures that a fallback handles are kinds of failure."""

from __future__ import annotations

import re

from maestri.errors import retry_kinds
from maestri.lang.checks.subject import Subject
from maestri.lang.model import Dynamic, Fixed, Listing, OptionDef, PatternDef, Templated
from maestri.lang.source import suggest

CODE = "L244"


def check_handled(subject: Subject) -> None:
    """Add each word in `on` of a fallback that is no kind of failure."""
    for placed in subject.survey.steps:
        action = placed.step.action
        if not isinstance(action, PatternDef) or placed.step.verb != "fallback":
            continue
        for one in _listed(action.options.get("on")):
            if isinstance(one, Fixed) and not _is_kind(one.value):
                message = f"`{one.value!s:.60}` is no kind of failure"
                cause = "`on` knows failures by a few words, and by codes such as `S101`"
                fix = suggest(str(one.value), sorted(retry_kinds()))
                subject.findings.add(CODE, message, one.span, cause=cause, fix=fix)


def _listed(given: OptionDef | None) -> list[Dynamic]:
    if isinstance(given, Listing):
        return list(given.items)
    return [given] if isinstance(given, Fixed | Templated) else []


def _is_kind(value: object) -> bool:
    return isinstance(value, str) and (value in retry_kinds() or bool(re.fullmatch(r"[SP]\d{3}", value)))
