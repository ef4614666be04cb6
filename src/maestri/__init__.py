"""Maestri runs teams of agents on real work, durably. Names are loaded when they are first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maestri.api import run, stream, workflow
    from maestri.errors import Diagnostic, MaestriError, RunError, StepFailed
    from maestri.kernel.body import OneStep
    from maestri.kernel.context import Context
    from maestri.kernel.policy import Policy, Retry
    from maestri.patterns._priority import with_priority
    from maestri.patterns._registry import Arm, Need
    from maestri.patterns.checked import Check, checked
    from maestri.project import Project

__version__ = "0.1.0"
__all__ = [
    "Arm",
    "Check",
    "Context",
    "Diagnostic",
    "MaestriError",
    "Need",
    "OneStep",
    "Policy",
    "Project",
    "Retry",
    "RunError",
    "StepFailed",
    "checked",
    "run",
    "stream",
    "with_priority",
    "workflow",
]

_PLACES = {
    "Arm": "maestri.patterns._registry",
    "Check": "maestri.patterns.checked",
    "Need": "maestri.patterns._registry",
    "OneStep": "maestri.kernel.body",
    "Context": "maestri.kernel.context",
    "Diagnostic": "maestri.errors",
    "MaestriError": "maestri.errors",
    "Policy": "maestri.kernel.policy",
    "Project": "maestri.project",
    "Retry": "maestri.kernel.policy",
    "RunError": "maestri.errors",
    "StepFailed": "maestri.errors",
    "checked": "maestri.patterns.checked",
    "run": "maestri.api",
    "stream": "maestri.api",
    "with_priority": "maestri.patterns._priority",
    "workflow": "maestri.api",
}


def __getattr__(name: str) -> Any:
    """Return a public name, loaded at its first use.

    Raises:
        AttributeError: There is no such name.
    """
    if name not in _PLACES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module(_PLACES[name]), name)
