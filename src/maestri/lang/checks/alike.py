"""Names that stand beside each other differ in more than small and capital letters."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject

CODE = "L214"


def check_alike(subject: Subject) -> None:
    """Add a warning for each name that is another one but for its capitals."""
    for siblings in subject.survey.siblings:
        first: dict[str, str] = {}
        for name, span in siblings.names:
            other = first.setdefault(name.lower(), name)
            if other != name:
                message = f"`{name}` and `{other}` differ only in small and capital letters"
                fix = "rename one, so that nobody takes one for the other"
                cause = "these are two names, and readers and some file systems take them for one"
                subject.findings.add(CODE, message, span, cause=cause, fix=fix, severity="warning")
