"""Files that a step names are in the folder of the run; others are meant."""

from __future__ import annotations

import posixpath

from maestri.lang.checks.subject import Subject
from maestri.lang.model import Dynamic, Fixed, Templated

CODE = "L275"


def check_paths(subject: Subject) -> None:
    """Add each path that leads out of the folder of the run, or depends on the machine."""
    for placed in subject.survey.steps:
        own = placed.step.properties
        if own is not None:
            for key in ("requires", "reads", "delivers", "claims"):
                for path in getattr(own, key):
                    _check(subject, key, path)


def _check(subject: Subject, key: str, path: Dynamic) -> None:
    text = (
        path.scalar.text
        if isinstance(path, Templated)
        else str(path.value)
        if isinstance(path, Fixed)
        else ""
    )
    if isinstance(path, Fixed) and not text.strip():
        message, cause = f"a path under `{key}` is empty", "an empty text names no file"
        subject.findings.add(CODE, message, path.span, cause=cause, fix="write the path of a file")
    elif posixpath.normpath(text).split("/")[0] == "..":
        message = f"`{text[:80]}` leads out of the folder of the run"
        cause = "what a run needs and gives lies below its folder, so that it can be moved and isolated"
        fix = "start the run further up, or write an absolute path"
        subject.findings.add(CODE, message, path.span, cause=cause, fix=fix)
    elif text.startswith("/"):
        message = f"`{text[:80]}` is an absolute path"
        cause = "on another machine, or in a workspace of its own, it is another file or none"
        fix = "write it relative to the folder of the run, where that is what you mean"
        subject.findings.add(CODE, message, path.span, cause=cause, fix=fix, severity="warning")
