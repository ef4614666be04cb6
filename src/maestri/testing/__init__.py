"""What tests of workflows and of adapters need: doubles that implement the ports, and a kit for each port.

Import from here: `from maestri.testing import check_agent`.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maestri.testing.check_agent import check_agent
    from maestri.testing.check_engine import check_engine
    from maestri.testing.check_workspaces import check_workspaces
    from maestri.testing.crashing import Crash, CrashingEngine, CrashingJournal, copy_run
    from maestri.testing.fake_workspaces import FakeWorkspaces
    from maestri.testing.play import Direct, Stage, check_resume, play
    from maestri.testing.scripted import ScriptedAgent
    from maestri.testing.simulated_loop import SimulatedLoop
    from maestri.testing.simulation import Report, check_simulation, simulate

__all__ = [
    "Crash",
    "CrashingEngine",
    "CrashingJournal",
    "Direct",
    "FakeWorkspaces",
    "Report",
    "ScriptedAgent",
    "SimulatedLoop",
    "Stage",
    "check_agent",
    "check_engine",
    "check_resume",
    "check_simulation",
    "check_workspaces",
    "copy_run",
    "play",
    "simulate",
]

_PLACES = {
    "Crash": "maestri.testing.crashing:Crash",
    "CrashingEngine": "maestri.testing.crashing:CrashingEngine",
    "CrashingJournal": "maestri.testing.crashing:CrashingJournal",
    "Direct": "maestri.testing.play:Direct",
    "Report": "maestri.testing.simulation:Report",
    "SimulatedLoop": "maestri.testing.simulated_loop:SimulatedLoop",
    "check_simulation": "maestri.testing.simulation:check_simulation",
    "simulate": "maestri.testing.simulation:simulate",
    "Stage": "maestri.testing.play:Stage",
    "check_resume": "maestri.testing.play:check_resume",
    "copy_run": "maestri.testing.crashing:copy_run",
    "play": "maestri.testing.play:play",
    "ScriptedAgent": "maestri.testing.scripted:ScriptedAgent",
    "check_agent": "maestri.testing.check_agent:check_agent",
    "check_engine": "maestri.testing.check_engine:check_engine",
    "FakeWorkspaces": "maestri.testing.fake_workspaces:FakeWorkspaces",
    "check_workspaces": "maestri.testing.check_workspaces:check_workspaces",
}


def __getattr__(name: str) -> Any:
    """Return a name of `__all__`, loaded at its first use.

    Raises:
        AttributeError: There is no such name.
    """
    if name not in _PLACES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    module, _, wanted = _PLACES[name].partition(":")
    return getattr(importlib.import_module(module), wanted)


class _Testing(ModuleType):
    """This package. A kit and its module share a name; here that name is always the kit."""

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute, but let no import bind the module of a kit over the kit."""
        if name not in _PLACES or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Testing
