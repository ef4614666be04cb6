"""Which names an expression sees where it stands, as data: levels of names, and a view from one place.

Rule 1: the innermost name wins; outer names stay visible; a scope that is closed is seen through its output.
Rule 2: a level is made once for all the steps of a body; a view is a position in it. So a body of a
thousand steps costs a thousand views, not a thousand copies of its names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, Literal, TypeAlias

from maestri.lang.expressions.types import ANY, Type
from maestri.records import NamedTuple

Kind: TypeAlias = Literal["body", "branches", "arms", "graph", "bound"]
INPUTS: Final = "inputs"
MEMORY: Final = "memory"
_OFFERED = 200  # names that a suggestion is looked for among


class Level:
    """The names that one part of a definition brings, in the order in which it has them.

    | kind | who sees a name |
    |---|---|
    | body | the steps after it |
    | graph | the steps that need it, also indirectly |
    | branches, arms | nobody: they run side by side, or only one does |
    | bound | all |
    """

    __slots__ = ("_needed", "kind", "lacking", "order", "skippable", "types")

    def __init__(self, kind: Kind, names: Iterable[str], types: Mapping[str, Type] | None = None) -> None:
        """Begin with names; their types become known one by one."""
        self.kind = kind
        self.order = {name: place for place, name in enumerate(dict.fromkeys(names))}
        self.types: dict[str, Type] = dict(types or {})
        self.lacking: set[str] = set()  # of these outputs, parts may be missing
        self.skippable: set[str] = set()  # these steps have a `when`: their outputs may be null
        self._needed: list[int] = []

    def set_needs(self, needs: Mapping[str, Sequence[str]], order: Iterable[str]) -> None:
        """Take in which steps of a graph need which; `order` has each after those that it needs.

        What a step needs, also indirectly, is one number with a bit for each step.
        """
        self._needed = [0] * len(self.order)
        for step in order:
            found = 0
            for need in needs[step]:
                if need in self.order:
                    found |= self._needed[self.order[need]] | 1 << self.order[need]
            self._needed[self.order[step]] = found

    def shows(self, name: str, position: int) -> bool:
        """Tell whether a name of this level is seen from a position in it."""
        if self.kind == "body":
            return self.order[name] < position
        if self.kind == "graph":
            return position >= len(self.order) or bool(self._needed[position] >> self.order[name] & 1)
        return self.kind == "bound"

    def shown(self, position: int) -> list[str]:
        """Return the names of this level that are seen from a position, the nearest first."""
        if self.kind == "body":
            return list(islice(self.order, position))[::-1]
        return [name for name in self.order if self.shows(name, position)]

    def name_at(self, position: int) -> str:
        """Return the name that stands at a position; an empty text behind the last."""
        return next(islice(self.order, position, position + 1), "")


class View(NamedTuple):
    """A place in a level, and the place that the level itself stands in."""

    level: Level
    position: int
    outer: View | None = None

    def around(self) -> Iterator[View]:
        """Yield this view and those around it, innermost first."""
        view: View | None = self
        while view is not None:
            yield view
            view = view.outer

    def find(self, name: str) -> View | None:
        """Return the view in which a name is seen, or None.

        A step of a graph hides an outer name also from steps that do not need it: whether it has run by
        then would be chance.
        """
        for view in self.around():
            if name in view.level.order:
                if view.level.shows(name, view.position):
                    return view
                if view.level.kind == "graph":
                    return None
        return None

    def hidden(self, name: str) -> View | None:
        """Return the innermost view whose level has a name without showing it, or None."""
        return next((view for view in self.around() if name in view.level.order), None)

    def sees(self, name: str) -> bool:
        """Tell whether a name is seen."""
        return self.find(name) is not None

    def type_of(self, name: str) -> Type | None:
        """Return the type of a name that is seen; None where nothing is known of it."""
        view = self.find(name)
        return None if view is None else view.level.types.get(name, ANY)

    def names(self) -> list[str]:
        """Return names that are seen, for a suggestion: the nearest first, and not more than can be read."""
        found = (name for view in self.around() for name in view.level.shown(view.position))
        return list(dict.fromkeys(islice(found, _OFFERED)))
