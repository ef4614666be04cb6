"""The patterns, as functions over a `Context`; each is a YAML keyword too. One file a pattern.

Each is loaded when it is first asked for: a run takes the time for the patterns that it uses, not for all.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maestri.patterns.branch import branch
    from maestri.patterns.compete import compete
    from maestri.patterns.each import each
    from maestri.patterns.fallback import fallback
    from maestri.patterns.graph import graph
    from maestri.patterns.loop import loop
    from maestri.patterns.on import on
    from maestri.patterns.parallel import parallel
    from maestri.patterns.phases import phases
    from maestri.patterns.race import race
    from maestri.patterns.refine import refine
    from maestri.patterns.repair import repair
    from maestri.patterns.review import review
    from maestri.patterns.route import route
    from maestri.patterns.saga import saga
    from maestri.patterns.scout import scout
    from maestri.patterns.sequence import sequence
    from maestri.patterns.streams import streams
    from maestri.patterns.supervise import supervise
    from maestri.patterns.vote import vote
    from maestri.patterns.workflow import workflow

__all__ = [
    "branch",
    "compete",
    "each",
    "fallback",
    "graph",
    "loop",
    "on",
    "parallel",
    "phases",
    "race",
    "refine",
    "repair",
    "review",
    "route",
    "saga",
    "scout",
    "sequence",
    "streams",
    "supervise",
    "vote",
    "workflow",
]


class _Patterns(ModuleType):
    """This package, in which the name of a pattern is its function and never the file of that name."""

    def __getattr__(self, name: str) -> Any:
        if name not in __all__:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        return getattr(import_module(f"{__name__}.{name}"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        # Whoever loads the file of a pattern, Python then binds that file to its name here.
        is_file = name in __all__ and isinstance(value, ModuleType)
        super().__setattr__(name, getattr(value, name) if is_file else value)


sys.modules[__name__].__class__ = _Patterns
