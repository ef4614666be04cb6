"""What the language needs only for some definitions, by name: loaded when it is first needed.

A definition whose steps have no checks, no memory and no agents of their own pays nothing for them.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import Any, Final

_PARTS: Final = {
    "check_gates": "maestri.lang.checks.gates:check_gates",
    "check_meetings": "maestri.lang.checks.meetings:check_meetings",
    "check_isolation": "maestri.lang.checks.isolation:check_isolation",
    "check_sandboxes": "maestri.lang.checks.sandboxes:check_sandboxes",
    "sandbox": "maestri.lang.read_sandbox:sandbox",
    "check_overlaps": "maestri.lang.checks.overlaps:check_overlaps",
    "check_landings": "maestri.lang.checks.landings:check_landings",
    "check_listeners": "maestri.lang.checks.listeners:check_listeners",
    "check_waits": "maestri.lang.checks.waits:check_waits",
    "check_policies": "maestri.lang.checks.policies:check_policies",
    "check_undos": "maestri.lang.checks.undos:check_undos",
    "phases": "maestri.lang.compile_groups:phases",
    "read_phases": "maestri.lang.read_phases:read_phases",
    "streams": "maestri.lang.compile_groups:streams",
    "read_waits": "maestri.lang.read_waits:read_waits",
    "schema": "maestri.lang.read_properties:read_schema",
    "waits": "maestri.lang.compile_waits:waits",
    "survey_waits": "maestri.lang.survey_waits:note_waits",
    "survey_phases": "maestri.lang.survey_groups:note_phases",
    "survey_streams": "maestri.lang.survey_groups:note_streams",
    "survey_undoable": "maestri.lang.survey_groups:note_undoable",
    "sync": "maestri.lang.compile_groups:sync",
    "undoable": "maestri.lang.compile_groups:undoable",
    "agents": "maestri.lang.read_agents:read_agents",
    "checked": "maestri.lang.compile_checked:checked_step",
    "workspace": "maestri.lang.compile_workspace:workspace_step",
    "memory": "maestri.lang.memory:Memory",
    "priority": "maestri.lang.priorities:priority_of",
    "properties": "maestri.lang.read_properties:read_properties",
    "schemas": "maestri.lang.read_properties:read_schemas",
    "survey": "maestri.lang.survey_properties:note_properties",
}


@lru_cache(maxsize=64)
def part(name: str) -> Any:
    """Return a part by its name in the table."""
    module, _, attribute = _PARTS[name].partition(":")
    return getattr(importlib.import_module(module), attribute)
