"""What there is to put together, by name: loaded when it is first needed, so that looking starts fast."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from maestri.patterns._registry import PatternSpec, spec

_PARTS: Final = {
    "engine": "maestri.engines.sqlite.engine:SqliteEngine",
    "catalog": "maestri.engines.sqlite.catalog:Catalog",
    "reader": "maestri.engines.sqlite.reader:RunReader",
    "inputs": "maestri.lang.inputs:checked",
    "library": "maestri.lang.definitions:Library",
    "python": "maestri.project.python_files:load",
    "yaml": "maestri.project.yaml_files:load",
    "recorded": "maestri.project.yaml_files:recorded",
    "doing": "maestri.project.doing:Doing",
}

# An agent by the name that tasks use; without arguments, one instance a project.
AGENTS: Final = {
    "run": "maestri.agents.shell:ShellAgent",
    "call": "maestri.agents.python:PythonAgent",
}

_PATTERNS: Final = {
    "steps": "maestri.patterns.sequence:sequence",
    "parallel": "maestri.patterns.parallel:parallel",
    "graph": "maestri.patterns.graph:graph",
    "branch": "maestri.patterns.branch:branch",
    "loop": "maestri.patterns.loop:loop",
    "each": "maestri.patterns.each:each",
    "workflow": "maestri.patterns.workflow:workflow",
}


def load(address: str) -> Any:
    """Return what `module:name` names."""
    module, _, name = address.partition(":")
    return getattr(importlib.import_module(module), name)


@lru_cache(maxsize=64)
def part(name: str) -> Any:
    """Return a part by its name in the table."""
    return load(_PARTS[name])


class Patterns(Mapping[str, PatternSpec]):
    """The patterns by keyword; each is imported and its signature read when it is asked for."""

    def __getitem__(self, keyword: str) -> PatternSpec:
        """Return a pattern's description.

        Raises:
            KeyError: No such pattern.
        """
        return spec(load(_PATTERNS[keyword]))

    def __contains__(self, keyword: object) -> bool:
        """Tell whether there is a pattern, without loading it."""
        return keyword in _PATTERNS

    def __iter__(self) -> Iterator[str]:
        """Return the keywords."""
        return iter(_PATTERNS)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(_PATTERNS)
