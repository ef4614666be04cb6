"""Needs that go round: which circles there are, and an order for everything that is in none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from maestri.patterns.graph import find_cycle


def by_needs(needs: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the steps of a graph, each after those that it needs; what goes round in a circle comes last."""
    missing = {step: len({need for need in wanted if need in needs}) for step, wanted in needs.items()}
    dependants: dict[str, list[str]] = {step: [] for step in needs}
    for step, wanted in needs.items():
        for need in dict.fromkeys(wanted):
            if need in needs:
                dependants[need].append(step)
    found = [step for step, count in missing.items() if not count]
    for step in found:  # grows while it is gone through
        for dependant in dependants[step]:
            missing[dependant] -= 1
            if not missing[dependant]:
                found.append(dependant)
    done = set(found)
    return [*found, *(step for step in needs if step not in done)]


def circles(needs: Mapping[str, Iterable[str]], most: int = 20) -> list[list[str]]:
    """Return the circles of some needs, each once; after `most` of them the rest are not looked for."""
    rest = {step: tuple(wanted) for step, wanted in needs.items()}
    found: list[list[str]] = []
    while len(found) < most:
        circle = find_cycle(rest)
        if not circle:
            break
        found.append(circle)
        closing = circle[0]
        rest[circle[-1]] = tuple(need for need in rest[circle[-1]] if need != closing)
    return found


def needed(step: str, needs: Mapping[str, Sequence[str]]) -> set[str]:
    """Return what a step needs, also indirectly."""
    found: set[str] = set()
    waiting = list(needs.get(step, ()))
    while waiting:
        name = waiting.pop()
        if name in needs and name not in found:
            found.add(name)
            waiting += needs[name]
    return found
