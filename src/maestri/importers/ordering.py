"""The order of stages: one after the other, by their dependencies, or by what stands in for what failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from maestri.importers.bodies import NEEDS_KEYS, Bodies, Step
from maestri.importers.conditions import Names, Value
from maestri.importers.scribe import NEEDS, literal, step_name, text, texts
from maestri.importers.stages import Stage
from maestri.importers.writing import At
from maestri.lang.circles import by_needs
from maestri.lang.source import suggest
from maestri.lang.tree import Mapping as Table
from maestri.lang.tree import Scalar, Tree

_PERSON = ("manual", "human", "person", "escalat")


def arranged(bodies: Bodies, stages: Sequence[Stage], names: Names) -> Step:
    """Return the stages of one body as steps; what they give goes to the names."""
    chains = _chains(stages)
    inside = {stage.written for chain in chains.values() for stage in chain[1:]}
    rest = [stage for stage in stages if stage.written not in inside]
    if len(rest) > 1 and any(stage.get(*NEEDS_KEYS) is not None for stage in rest):
        return _graph(bodies, rest, chains, names)
    return {one.name: _placed(bodies, one, chains, names) for one in rest}


def _placed(bodies: Bodies, stage: Stage, chains: Mapping[str, list[Stage]], names: Names) -> At:
    """Return a stage, or the fallbacks that begin with it, as a step with its place."""
    chain = chains.get(stage.written)
    step = bodies.step(stage, names) if chain is None else _fallback(bodies, chain, names)
    return At(step, stage.at.span.line)


def _chains(stages: Sequence[Stage]) -> dict[str, list[Stage]]:
    """Return the stages that have a fallback, each with those that follow when it fails."""
    by_name = {stage.written: stage for stage in stages}
    found: dict[str, list[Stage]] = {}
    followers = {_fallback_of(stage) for stage in stages}
    for stage in stages:
        chain, at = [stage], _fallback_of(stage)
        while at and at not in {one.written for one in chain}:
            chain.append(by_name.get(at) or Stage(step_name(at, by_name), at, _fallback_at(chain[-1])))
            at = _fallback_of(chain[-1])
        if len(chain) > 1 and stage.written not in followers:
            found[stage.written] = chain
    return found


def _fallback(bodies: Bodies, chain: Sequence[Stage], names: Names) -> Step:
    """Return stages of which the next one is done when the one before it has failed."""
    first, branches = chain[0], {}
    given: dict[str, Value] = {}
    for stage in chain:
        inner = Names(names)
        is_person = stage.table is None and any(word in stage.written.lower() for word in _PERSON)
        step = _ask(chain) if is_person else bodies.step(stage, inner)
        branches[stage.name] = At(step, stage.at.span.line)
        given |= {
            key: Value(f"{first.name}{value.path.removeprefix(stage.name)}", maybe=True)
            for key, value in inner.own.items()
            if key not in {stage.written, stage.name} and "." not in key
        }
    bodies.give(first, given, names)
    for stage in chain:
        names.own[stage.written] = Value(first.name)
    return {"fallback": {"branches": branches}}


def _ask(chain: Sequence[Stage]) -> Step:
    tried = literal(", ".join(f"`{stage.written}`" for stage in chain[:-1]))
    return {"ask": f"Nothing has worked: {tried}. What is to be done?"}


def _graph(bodies: Bodies, stages: Sequence[Stage], chains: Mapping[str, list[Stage]], outer: Names) -> Step:
    """Return stages with dependencies as a graph, made in an order in which each sees what it needs."""
    by_name = {stage.written: stage for stage in stages}
    needs = {stage.written: _needs_of(bodies, stage, by_name) for stage in stages}
    # Names are found in this order; the graph itself keeps that of the file.
    names, steps = Names(outer.outer), {}
    for written in by_needs({key: [one.text for one in found] for key, found in needs.items()}):
        stage = by_name[written]
        seen = _behind(written, needs)
        visible = Names(outer.outer)
        visible.own = {
            key: value
            for key, value in names.own.items()
            if value.path.split(".")[0] in {by_name[one].name for one in seen}
        }
        wanted = [At(by_name[one.text].name, one.span.line) for one in needs[written]]
        placed = _placed(bodies, stage, chains, visible)
        steps[written] = placed._replace(value={"needs": wanted, **placed.value} if wanted else placed.value)
        names.own |= visible.own
    outer.own |= {key: value._replace(path=f"stages.{value.path}") for key, value in names.own.items()}
    return {"stages": {"graph": {"steps": {by_name[key].name: steps[key] for key in by_name}}}}


def _behind(written: str, needs: Mapping[str, Sequence[Scalar]]) -> set[str]:
    found: set[str] = set()
    waiting = [one.text for one in needs[written]]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += [inner.text for inner in needs.get(one, ())]
    return found


def _needs_of(bodies: Bodies, stage: Stage, by_name: Mapping[str, Stage]) -> list[Scalar]:
    found = []
    for one in texts(stage.get(*NEEDS_KEYS)):
        if one.text in by_name:
            found.append(one)
            continue
        message = f"`{stage.written}` depends on `{one.text[:60]}`, and there is no such stage"
        cause = "a dependency is the name of another stage beside this one"
        bodies.scribe.error(NEEDS, message, one, cause=cause, fix=suggest(one.text, by_name))
    return found


def _fallback_of(stage: Stage) -> str:
    handling = stage.get("error_handling")
    return text(handling.get("fallback")) if isinstance(handling, Table) else text(stage.get("fallback"))


def _fallback_at(stage: Stage) -> Tree:
    handling = stage.get("error_handling")
    found = handling.get("fallback") if isinstance(handling, Table) else stage.get("fallback")
    return found or stage.at
