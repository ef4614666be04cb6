"""The address of a Python function can be one; nothing is imported to find out whether it is."""

from __future__ import annotations

import re

from maestri.lang.checks.subject import Subject
from maestri.lang.model import CallDef

CODE = "L229"
_ADDRESS = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.[^\W\d]\w*)*"


def check_addresses(subject: Subject) -> None:
    """Add each `call` that names what cannot be a function."""
    for placed in subject.survey.steps:
        action = placed.step.action
        # Without exactly one colon the reader has said so already.
        if (
            isinstance(action, CallDef)
            and action.function.count(":") == 1
            and not re.fullmatch(_ADDRESS, action.function)
        ):
            message = f"`{action.function[:80]}` cannot be the address of a function"
            fix = "write `module:function`, such as `package.module:function`"
            cause = "modules and functions have names of Python: letters, digits and `_`, parts with dots"
            subject.findings.add(CODE, message, placed.step.verb_span, cause=cause, fix=fix)
