"""Workflows do not call each other without end.

A circle of calls is fine where something can end it: a `when`, an arm of a `branch`, the items of an `each`,
the `while` of a `loop`.
"""

from __future__ import annotations

from maestri.lang.checks.subject import Subject

CODE = "L226"
_SHOWN = 12  # workflows of a circle


def check_recursion(subject: Subject) -> None:
    """Add each circle of calls that nothing can end, where it begins."""
    for circle in subject.circles:
        names = circle.names
        shown = (*names[:_SHOWN], "…", names[-1]) if len(names) > _SHOWN + 1 else names
        message = f"these workflows call each other without end: {' → '.join(shown)}"
        fix = "put a `when` on one of the calls, or take it out"
        subject.findings.add(
            CODE, message, circle.call.ref.span, cause="nothing on the way can end it", fix=fix
        )
