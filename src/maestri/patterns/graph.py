"""Run steps by what they need: each starts the moment its own needs are done.

Shape:         ┌─ b ─┐
          a ───┤     ├── e      no barrier between siblings: waves are only a view
               └─ c ─┘
Journal:  <name>/<step>, and one seal for <name>
Cost:     the critical path; a step costs O(its needs)
When:     steps of which some need others, and none should wait for what it does not need
Not:      each needs the one before it: `steps`; none needs another: `parallel`
Source:   dependency-based orchestration: seed document 3.3; Kahn, "Topological sorting of large
          networks" (1962)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Literal

from maestri.errors import InputInvalid, JoinFailed, RunError
from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.kernel.fan import Fan
from maestri.patterns._join import check_crowd
from maestri.patterns._priority import Room
from maestri.patterns._registry import GraphSteps, Need, pattern


@pattern("graph")
async def graph(
    ctx: Context,
    name: str,
    steps: GraphSteps,
    *,
    max_concurrent: int | None = None,
    on_failure: Literal["finish", "stop"] = "finish",
) -> dict[str, Any]:
    """Run the steps of a directed graph without cycles.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        steps: The steps by name, each with what it needs.
        max_concurrent: How many may run at once; no limit without it.
        on_failure: `finish` lets what does not depend on a failed step go on, `stop` cancels it.

    Returns:
        The outputs by name, in the order in which the steps are written.

    Raises:
        JoinFailed: Several steps failed; one failure is raised as it is.
        InputInvalid: A need is unknown, the needs go round in a circle, or `max_concurrent` is below 1.
    """
    try:
        check_needs({step: need.needs for step, need in steps.items()})
        check_crowd(len(steps), "all", max_concurrent)
    except InputInvalid as error:
        return await ctx.refuse(name, error)  # type: ignore[no-any-return]

    async def inside(scope: Context) -> dict[str, Any]:
        walk = _Walk(steps)
        async with Fan(scope, max_concurrent, needs_all=True) as fan:
            room = Room(fan, max_concurrent if walk.is_ranked else None)
            room.add(walk.entries(walk.ready()))
            async for settled in fan:
                room.leave()
                room.add(walk.entries(walk.ended(settled.name, settled.value, settled.error)))
                for step, cause in walk.take_skipped():
                    await scope.skip(step, "dependency", cause)
                if settled.error is not None and on_failure == "stop":
                    break
        walk.add_errors(fan.unseen)
        return walk.result()

    return await ctx.scope(name, inside, pattern="graph", total=len(steps))


def check_needs(needs: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse a need that is no step, and needs that go round.

    Raises:
        InputInvalid: Names the step and what is wrong.
    """
    for step, wanted in needs.items():
        for need in wanted:
            if need not in needs:
                message = f"`{step}` needs `{need}`, which is no step of this graph"
                raise InputInvalid(message, fix=f"use one of: {', '.join(needs)}")
    circle = find_cycle(needs)
    if circle:
        message = f"the needs go round: {' → '.join([*circle, circle[0]])}"
        raise InputInvalid(message, fix="take one of these needs away")


def find_cycle(needs: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the steps of a cycle in the order of their needs, or none. Unknown needs are ignored."""
    ended: set[str] = set()
    for start in needs:
        trail: list[str] = []
        stack = [(start, iter(needs[start]))] if start not in ended else []
        on_trail = {start: 0}
        trail.append(start)
        while stack:
            step, rest = stack[-1]
            need = next(rest, None)
            if need is None:
                stack.pop()
                ended.add(step)
                on_trail.pop(step, None)
                trail.pop()
            elif need in on_trail:
                return trail[on_trail[need] :]
            elif need in needs and need not in ended:
                on_trail[need] = len(trail)
                trail.append(need)
                stack.append((need, iter(needs[need])))
    return []


class _Walk:
    """Which steps are ready, done, failed or out of reach: a pure decision over what has ended."""

    def __init__(self, steps: GraphSteps) -> None:
        self._steps = steps
        self._missing = {step: len(set(need.needs)) for step, need in steps.items()}
        self._dependants: dict[str, list[str]] = {step: [] for step in steps}
        for step, need in steps.items():
            for wanted in dict.fromkeys(need.needs):
                self._dependants[wanted].append(step)
        self._outputs: dict[str, Any] = {}
        self._errors: list[RunError] = []
        self._skipped: dict[str, str] = {}
        self._to_record: list[tuple[str, str]] = []

    def ready(self) -> list[str]:
        return [step for step, missing in self._missing.items() if missing == 0]

    @property
    def is_ranked(self) -> bool:
        """Whether a step has a priority: without one the fan keeps the order."""
        return any(need.priority != 0.0 for need in self._steps.values())

    def entries(self, steps: list[str]) -> list[tuple[str, Any, float]]:
        """Return steps with their bodies and priorities."""
        return [(step, self.body(step), self._priority(step)) for step in steps]

    def _priority(self, step: str) -> float:
        found = self._steps[step].priority
        return found() if callable(found) else found

    def body(self, step: str) -> Any:
        need: Need = self._steps[step]
        outputs = {wanted: self._outputs[wanted] for wanted in need.needs}
        if isinstance(need.body, OneStep):
            return need.body
        return lambda scope: need.body(scope, outputs)

    def ended(self, step: str, value: Any, error: RunError | None) -> list[str]:
        """Take the end of a step in and return the steps that have become ready."""
        if error is not None:
            self._errors.append(error)
            self._skip_dependants(step, step)
            return []
        self._outputs[step] = value
        found = []
        for dependant in self._dependants[step]:
            self._missing[dependant] -= 1
            if self._missing[dependant] == 0 and dependant not in self._skipped:
                found.append(dependant)
        return found

    def add_errors(self, errors: list[RunError]) -> None:
        """Take in the failures of steps that ended while the graph was being stopped."""
        self._errors += errors

    def _skip_dependants(self, step: str, cause: str) -> None:
        waiting = deque(self._dependants[step])
        while waiting:
            dependant = waiting.popleft()
            if dependant not in self._skipped:
                self._skipped[dependant] = cause
                self._to_record.append((dependant, f"`{cause}` failed"))
                waiting += self._dependants[dependant]

    def take_skipped(self) -> list[tuple[str, str]]:
        """Return the steps that went out of reach since the last call, with the reason."""
        found, self._to_record = self._to_record, []
        return found

    def result(self) -> dict[str, Any]:
        """Return the outputs in the order of the definition.

        Raises:
            RunError: Something failed.
        """
        if len(self._errors) == 1:
            raise self._errors[0]
        if self._errors:
            message = f"{len(self._errors)} steps of the graph failed"
            causes = "; ".join(f"{error.path}: {error.message}" for error in self._errors[:5])
            error = JoinFailed(message, cause=causes, fix="mend what failed and resume the run")
            error.origins = tuple(origin for one in self._errors for origin in one.origins)
            raise error
        return {step: self._outputs[step] for step in self._steps if step in self._outputs}
