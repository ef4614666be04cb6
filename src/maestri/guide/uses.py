"""Which step of a body uses what of the steps before it, as far as a definition says so.

Rule 1: in doubt a step is said to use another: no advice is better than a wrong one.
Rule 2: what commands do to files besides what they are asked for cannot be known; whoever gives advice on
what is found here has to say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from maestri.lang.expressions.references import names
from maestri.lang.model import (
    AskDef,
    CallDef,
    Dynamic,
    EmitDef,
    Fixed,
    RunDef,
    StepDef,
    SyncDef,
    Templated,
    WaitDef,
    WorkflowRef,
)
from maestri.lang.scopes import MEMORY

# Whoever waits, asks or meets does it at this place for a reason, also if nothing is handed over.
_PLACED: Final = (AskDef, WaitDef, EmitDef, SyncDef)
_PLACED_PATTERNS: Final = frozenset({"on", "land", "loop", "repair", "saga", "phases"})
# Commands that change something, so that what stands behind them may need it.
_CHANGES: Final = re.compile(
    r"(?<![0-9&])>>?(?!\s*(?:/dev/null|&))|\b(?:tee|mkdir|touch|cp|mv|rm|ln|install|patch|chmod|make|write|open|"
    r"npm|pip|uv|cargo|docker|terraform|kubectl|psql|deploy|publish|migrate|generate|build)\b"
    r"|sed -i|--fix|--apply|\bgit (?!-C \S+ )?(?!log|diff|status|show|ls-|rev-|grep|blame|describe|cat-file)"
)


def references(part: Any) -> Iterator[tuple[str, ...]]:
    """Yield what the expressions in any part of a definition name: a name, and the field that follows it."""
    if isinstance(part, Templated):
        for piece in part.template.parts:
            yield from ((one.name, *map(str, one.path[:1])) for one in names(piece.expr))
    elif isinstance(part, Mapping):
        for value in part.values():
            yield from references(value)
    elif isinstance(part, tuple):
        for value in part:
            yield from references(value)


def uses(steps: Sequence[StepDef]) -> list[frozenset[int]]:
    """Return for each step of a body, by places, which earlier ones it uses or must come after."""
    named = {one[0] for step in steps for one in references(step)}
    facts = [_Facts(step, is_used=step.name in named) for step in steps[:-1]]
    facts += [_Facts(step, is_used=True) for step in steps[-1:]]  # its output is that of the body
    return [
        frozenset(j for j in range(i) if facts[j].is_placed or facts[i].is_placed or facts[i].uses(facts[j]))
        for i in range(len(steps))
    ]


class _Facts:
    """What is known of one step."""

    def __init__(self, step: StepDef, *, is_used: bool) -> None:
        self.name = step.name
        self.named = set(references(step))
        properties = step.properties
        self.writes = set() if properties is None else _keys(properties.memory)
        self.reads = {one[1] for one in self.named if one[0] == MEMORY and len(one) > 1}
        self.gives = [] if properties is None else list(map(_file, properties.delivers))
        wanted = () if properties is None else (*properties.requires, *properties.reads)
        self.takes = list(map(_file, wanted))
        # Nobody calls a function, or another workflow, for nothing.
        acts = not is_used and any(parts(step, (CallDef, WorkflowRef)))
        changes = acts or any(_CHANGES.search(_text(one)) for one in parts(step, RunDef))
        is_kept = step.verb in _PLACED_PATTERNS or isinstance(step.action, _PLACED)
        self.is_placed = is_kept or changes or bool(properties and properties.handoff)

    def uses(self, other: _Facts) -> bool:
        """Tell whether this step uses what an earlier one gives."""
        return bool(
            any(one[0] == other.name for one in self.named)
            or self.reads & other.writes
            or any(_may_match(taken, given) for taken in self.takes for given in other.gives)
        )


def parts(part: Any, kind: Any) -> Iterator[Any]:
    """Yield what there is of a kind in any part of a definition."""
    if isinstance(part, kind):
        yield part
    elif isinstance(part, Mapping):
        for value in part.values():
            yield from parts(value, kind)
    elif isinstance(part, tuple):
        for value in part:
            yield from parts(value, kind)


def _keys(record: Any) -> set[str]:
    return set() if record is None else {name for name, _ in record.entries}


def _file(path: Dynamic) -> str:
    """Return a path as a pattern; what is known only when it runs may be anything."""
    return str(path.value) if isinstance(path, Fixed) else "*"


def _may_match(taken: str, given: str) -> bool:
    return fnmatchcase(given, taken) or fnmatchcase(taken, given)


def _text(action: RunDef) -> str:
    """Return a command as one text; what is known only when it runs is left out."""
    command = action.command
    if isinstance(command, str):
        return command
    return " ".join(str(one.value) for one in command.items if isinstance(one, Fixed))


def depths(used: Sequence[frozenset[int]]) -> list[int]:
    """Return how many steps lie one after the other before each step."""
    found: list[int] = []
    for before in used:
        found.append(max((found[j] + 1 for j in before), default=0))
    return found


def groups(used: Sequence[frozenset[int]]) -> list[list[int]]:
    """Return the places in their order, cut into runs of steps that do not use each other."""
    found: list[list[int]] = []
    for i, before in enumerate(used):
        if found and not before.intersection(found[-1]):
            found[-1].append(i)
        else:
            found.append([i])
    return found
