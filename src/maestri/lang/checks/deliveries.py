"""Who requires a file that another step delivers runs after it."""

from __future__ import annotations

from fnmatch import fnmatchcase

from maestri.errors import Span
from maestri.lang.checks.memories import is_before, name_of
from maestri.lang.checks.subject import Subject
from maestri.lang.model import Dynamic, Fixed
from maestri.lang.survey import Placed

CODE = "L276"


def check_deliveries(subject: Subject) -> None:
    """Add each `requires` of a file whose deliverer may not have run by then."""
    found = [placed for placed in subject.survey.steps if placed.step.properties is not None]
    for placed in found:
        own = placed.step.properties
        for path in () if own is None else own.requires:
            text = _text(path)
            givers = [one for one in found if one is not placed and text and _gives(one, text)]
            if givers and not any(is_before(one.view, placed.view) for one in givers):
                _add(subject, placed, givers[0], text, path.span)


def _gives(placed: Placed, path: str) -> bool:
    own = placed.step.properties
    return own is not None and any(_covers(_text(one), path) for one in own.delivers)


def _covers(pattern: str, path: str) -> bool:
    """Tell whether a pattern of what is delivered stands for a path; a folder stands for all in it."""
    if not pattern:
        return False
    return pattern == path or fnmatchcase(path, pattern) or path.startswith(pattern.rstrip("/") + "/")


def _text(path: Dynamic) -> str:
    return str(path.value) if isinstance(path, Fixed) else ""


def _add(subject: Subject, placed: Placed, giver: Placed, path: str, span: Span) -> None:
    name, own = name_of(giver), name_of(placed)
    message = f"`{own}` requires `{path[:80]}`, which `{name}` may not have delivered yet"
    cause = f"nothing says that `{own}` runs after `{name}`"
    fix = f"add `needs: [{name}]` to `{own}`" if placed.in_graph else f"put `{own}` behind `{name}`"
    subject.findings.add(CODE, message, span, cause=cause, fix=fix)
