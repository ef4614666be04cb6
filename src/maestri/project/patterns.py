"""The pattern registry: a value that is handed to the language. The language knows no pattern by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from maestri.patterns._registry import PatternSpec, spec
from maestri.project.parts import load

_PATTERNS: Final = {
    "steps": "maestri.patterns.sequence:sequence",
    "parallel": "maestri.patterns.parallel:parallel",
    "graph": "maestri.patterns.graph:graph",
    "branch": "maestri.patterns.branch:branch",
    "loop": "maestri.patterns.loop:loop",
    "each": "maestri.patterns.each:each",
    "saga": "maestri.patterns.saga:saga",
    "phases": "maestri.patterns.phases:phases",
    "review": "maestri.patterns.review:review",
    "scout": "maestri.patterns.scout:scout",
    "streams": "maestri.patterns.streams:streams",
    "workflow": "maestri.patterns.workflow:workflow",
    "refine": "maestri.patterns.refine:refine",
    "repair": "maestri.patterns.repair:repair",
    "fallback": "maestri.patterns.fallback:fallback",
    "race": "maestri.patterns.race:race",
    "vote": "maestri.patterns.vote:vote",
    "compete": "maestri.patterns.compete:compete",
    "supervise": "maestri.patterns.supervise:supervise",
    "route": "maestri.patterns.route:route",
    "on": "maestri.patterns.on:on",
    "land": "maestri.landing.land:land",
}


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
