"""The groups of a cascade: stages at once, by condition, in rounds, in a sandbox, and whole cascades."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from maestri.importers.bodies import Bodies, Group, Step
from maestri.importers.conditions import Names, Value, negated
from maestri.importers.scribe import SHAPE, is_true, number, step_name, text, texts
from maestri.importers.stages import INNER, Stage, read_stages
from maestri.importers.writing import At
from maestri.lang.source import suggest
from maestri.lang.tree import Mapping, Scalar, Sequence, Tree

CASCADE: Final = "L319"
_ROUNDS: Final = 10
_FIXES: Final = 5


def _steps(bodies: Bodies, stage: Stage, names: Names) -> Step:
    """Stages in order, as one step."""
    steps, inner = bodies.body(stage.inner, names)
    output, given = _exported(bodies, stage, inner)
    bodies.give(stage, given, names)
    return {"steps": steps, **({"output": output} if output else {}), **bodies.properties(stage)}


def _exported(bodies: Bodies, stage: Stage, inner: Names) -> tuple[dict[str, str], dict[str, Value]]:
    """Return what a body gives to those behind it: its outputs by name, and where they are found then."""
    wanted = bodies.drafts.usage.roots()
    of_body = {name for one in _all(stage.inner) for name in bodies.outputs(one)}
    names = [name for name in inner.own if name in of_body or (name in wanted and "." not in name)]
    output = {name: "${" + inner.own[name].expression() + "}" for name in names}
    given = {name: Value(f"{stage.name}.{name}", maybe=inner.own[name].maybe) for name in names}
    for key, value in inner.own.items():
        short = key.rpartition(".")[2]
        if "." in key and short in given and inner.own[short].path == value.path:
            given[key] = given[short]
    return output, given


def _all(stages: tuple[Stage, ...]) -> Iterator[Stage]:
    for stage in stages:
        yield stage
        yield from _all(stage.inner)


def _parallel(bodies: Bodies, stage: Stage, names: Names) -> Step:
    """Stages at once. A stage that says it is parallel isolates failures; a bare list must succeed."""
    # A bare list stands before a stage that needs all of it; `type: parallel` promises fault isolation.
    is_isolated = stage.table is not None
    branches: dict[str, Any] = {}
    for one in stage.inner:
        inner = Names(names)
        branches[one.name] = At(bodies.step(one, inner), one.at.span.line)
        for key, value in inner.own.items():
            maybe = is_isolated or value.maybe
            names.own[key] = Value(f"{stage.name}.{value.path}", maybe, value.other)
    swarm = stage.get("swarm_config")
    most = (
        number(swarm.get("max_agents")) if isinstance(swarm, Mapping) else number(stage.get("max_concurrent"))
    )
    options: dict[str, Any] = {"max_concurrent": most} if most else {}
    if is_isolated:
        options["join"] = "settled"
    return {"parallel": {**options, "branches": branches}, **bodies.properties(stage)}


# --- conditions -----------------------------------------------------------------------------------


def _branch(bodies: Bodies, stage: Stage, names: Names) -> Step:
    """The first branch whose condition holds."""
    common = stage.get("condition", "conditions")
    arms: dict[str, Any] = {}
    found: list[tuple[str, dict[str, str], dict[str, Value]]] = []
    for name, at, tree in _branches(stage):
        table = tree if isinstance(tree, Mapping) else None
        own = (
            None
            if table is None
            else next((table.get(k) for k in ("conditions", "condition", "when") if table.get(k)), None)
        )
        is_default = table is not None and is_true(table.get("default"))
        arm: dict[str, Any] = {}
        if own is None and not is_default and common is not None:
            own, common = common, None
        if own is not None and not is_default:
            arm["when"] = "${" + bodies.condition(own, names) + "}"
        inner = _arm_stages(bodies, stage, name, at, tree)
        steps, seen = bodies.body(inner, names)
        arm["steps"] = steps
        output, given = _exported(bodies, Stage(stage.name, name, at, inner=inner), seen)
        found.append((step_name(name, arms), output, given))
        arms[found[-1][0]] = At(arm, at.span.line)
    if not arms:
        bodies.scribe.refuse(
            stage.at, f"`branches` of `{stage.written}`", "write `branches:` with a mapping by name"
        )
    _give_arms(names, arms, found)
    has_default = any("when" not in arm.value for arm in arms.values())
    ordered = (
        sorted(arms.items(), key=lambda one: "when" not in one[1].value) if has_default else arms.items()
    )
    return {"branch": dict(ordered)}


def _give_arms(
    names: Names,
    arms: dict[str, Any],
    found: list[tuple[str, dict[str, str], dict[str, Value]]],
) -> None:
    """Note what the arms give; each has an output of the same names then."""
    keys = list(dict.fromkeys(key for _, output, _ in found for key in output))
    for name, output, _ in found if keys else ():
        arms[name].value["output"] = {key: output.get(key) for key in keys}
    given: dict[str, Value] = {}
    for _, _, values in found:
        given |= values
    for key, value in given.items():
        before = names.split(key)
        other = before[0].expression(before[1]) if before else ""
        names.own[key] = Value(value.path, maybe=True, other=other)


def _branches(stage: Stage) -> Iterator[tuple[str, Tree, Tree]]:
    """Yield the branches with their names and places."""
    tree = stage.get("branches")
    if isinstance(tree, Mapping):
        for entry in tree.entries:
            yield entry.key.text, entry.key, entry.value
    elif isinstance(tree, Sequence):
        for number_, one in enumerate(tree.items, 1):
            name = one.get("name") if isinstance(one, Mapping) else None
            yield text(name) or f"branch-{number_}", name or one, one


_BRANCH_KEYS: Final = ("name", "condition", "conditions", "when", "default", "description", *INNER)


def _arm_stages(bodies: Bodies, stage: Stage, name: str, at: Tree, tree: Tree) -> tuple[Stage, ...]:
    inner: tuple[Stage, ...] = ()
    if isinstance(tree, Mapping):
        bodies.scribe.unread(tree, _BRANCH_KEYS, f"the branch `{name}`")
        for key in INNER:
            if tree.get(key) is not None:
                inner += read_stages(bodies.scribe, tree.get(key))
    elif stage.get("condition") is not None or _is_stages(tree):
        inner = read_stages(bodies.scribe, tree)
    else:
        message = f"the branch `{name}` says neither when it is taken nor what is done"
        cause = "a bare list can be conditions or stages"
        fix = f'write `{name}: {{conditions: "${{score}} < 30", stages: [...]}}`'
        bodies.scribe.error(SHAPE, message, tree, cause=cause, fix=fix)
    return inner or (Stage(step_name(name), name, at),)


def _is_stages(tree: Tree) -> bool:
    return isinstance(tree, Sequence) and any(isinstance(one, Mapping) for one in tree.items)


# --- rounds ---------------------------------------------------------------------------------------


def _loop(bodies: Bodies, stage: Stage, names: Names) -> Step:
    """Stages again and again; what they assign is carried from round to round."""
    until, while_ = stage.get("repeat_until"), stage.get("repeat_while")
    inner = stage.inner or (_alone(bodies, stage, until or while_, names),)
    carried = list(dict.fromkeys(name for one in _all(inner) for name in bodies.outputs(one)))
    start = {
        name: found[0].expression(found[1]) for name in carried if (found := names.split(name)) is not None
    }
    before, after = Names(names), Names(names)
    for name in carried:
        before.own[name] = Value(f"last.{name}", maybe=name not in start)
        after.own[name] = Value(f"last.{name}")
        for one in _all(inner):
            after.own[f"{one.written}.{name}"] = Value(f"last.{name}")
    steps, seen = bodies.body(inner, before)
    most = number(stage.get("max_iterations")) or _ROUNDS
    options: dict[str, Any] = {"max_rounds": most, "on_cap": "accept"}
    if start:
        options["start"] = {name: "${" + expression + "}" for name, expression in start.items()}
    is_known = while_ is not None and not _reads(while_, set(carried) - set(start))
    if until is not None:
        options["until"] = "${" + bodies.condition(until, after) + "}"
    elif while_ is not None and is_known:
        options["while"] = "${" + bodies.condition(while_, after) + "}"
    elif while_ is not None:
        options["until"] = "${" + negated(bodies.condition(while_, after)) + "}"
    else:
        options["until"] = f"${{round >= {most}}}"
    output = {
        name: "${" + value.expression() + "}" for name in carried if (value := seen.find(name)) is not None
    }
    given = {name: Value(f"{stage.name}.{name}", maybe=name not in start and is_known) for name in carried}
    given |= {f"{one.written}.{name}": given[name] for one in _all(inner) for name in bodies.outputs(one)}
    names.own |= given
    return {"loop": {**options, "steps": steps, **({"output": output} if output else {})}}


def _alone(bodies: Bodies, stage: Stage, condition: Tree | None, names: Names) -> Stage:
    """Return the one stage of a loop without any: itself, with the outputs that its condition asks for."""
    words = text(condition).replace("${", " ").replace("}", " ") if isinstance(condition, Scalar) else ""
    used = [
        word for word in bodies.drafts.usage.roots() if word in words.split() and names.split(word) is None
    ]
    items = [Scalar(word, word, stage.at.span) for word in used]
    table = stage.table or Mapping([], stage.at.span)
    kept = [
        one
        for one in table.entries
        if one.key.text in {"inputs", "model", "agent", "skill", "task", "description"}
    ]
    key = Scalar("outputs", "outputs", stage.at.span)
    outputs = (
        [type(table.entries[0])(key, Sequence(list(items), stage.at.span))] if used and table.entries else []
    )
    return Stage(stage.name, stage.written, stage.at, "", Mapping([*kept, *outputs], stage.at.span))


def _reads(condition: Tree, names: set[str]) -> bool:
    """Tell whether a condition reads one of some names."""
    words = text(condition)
    return any(f"{{{name}" in words.replace(" ", "") or f".{name}" in words for name in names)


# --- sandbox --------------------------------------------------------------------------------------


def _repair(bodies: Bodies, stage: Stage, names: Names) -> Step:
    """A check in a copy of the folder, and what mends it: the first stage, and the others."""
    config = stage.get("codex_config")
    table = config if isinstance(config, Mapping) else stage.table
    most = number(table.get("max_iterations")) if table is not None else None
    if isinstance(config, Mapping):
        why = "commands in this version reach the network as they always do"
        bodies.scribe.left_out(config.entry("network_disabled"), why, "start it where there is no network")
    first = stage.inner[0] if stage.inner else Stage("check", stage.written, stage.at, words="Run the tests.")
    inner = Names(names)
    check = bodies.step(first, inner)
    if "returns" not in check:
        check |= {
            "returns": {
                "type": "object",
                "required": ["passed"],
                "properties": {"passed": {"type": "boolean"}},
            }
        }
    judged, told = Names(names), Names(names)
    for key, value in inner.own.items():
        rest = value.path.removeprefix(first.name)
        judged.own[key] = Value(f"output{rest}")
        told.own[key] = Value(f"failures[0].detail{rest}", maybe=True)
    accept = _accepted(bodies, stage, judged, has_passed="outputs" not in check)
    fixers = [_without_condition(one) for one in stage.inner[1:]]
    fixers = fixers or [Stage("fix", stage.written, stage.at, words="Mend what the tests say.")]
    steps, _ = bodies.body(fixers, told)
    _tell_failures(steps)
    options = {"check": {"steps": {first.name: At(check, first.at.span.line)}}, "fix": {"steps": steps}}
    return {"repair": {"max_rounds": most or _FIXES, "accept": accept, **options}, **bodies.properties(stage)}


def _tell_failures(steps: Step) -> None:
    for placed in steps.values():
        if "prompt" in placed.value:
            placed.value["prompt"] += "\nWhat the check says: ${failures}"
        if isinstance(placed.value.get("steps"), dict):
            _tell_failures(placed.value["steps"])


def _accepted(bodies: Bodies, stage: Stage, judged: Names, *, has_passed: bool) -> str:
    """Return when a check has passed: when what mends would have nothing to do."""
    condition = next(
        (found for one in stage.inner[1:] if (found := one.get("condition", "conditions")) is not None), None
    )
    if condition is not None:
        return "${" + negated(bodies.condition(condition, judged)) + "}"
    return "${output.passed}" if has_passed else "${default(output.all_passed, default(output.passed, true))}"


def _without_condition(stage: Stage) -> Stage:
    if stage.table is None:
        return stage
    kept = [one for one in stage.table.entries if one.key.text not in {"condition", "conditions"}]
    return stage._replace(table=Mapping(kept, stage.table.span))


# --- nested ---------------------------------------------------------------------------------------


def _nested(bodies: Bodies, stage: Stage, names: Names) -> Step:
    """Another cascade, once or for each item of a list."""
    written, items = text(stage.get("cascade")), stage.get("for_each")
    found = bodies.drafts.workflow(written or stage.written, per_item=items is not None)
    if items is not None and "${" not in text(items) and not isinstance(items, Sequence):
        bodies.scribe.refuse(items, "`for_each`", "name a list: `for_each: ${prepare-data.items}`")
    if found is None and items is not None and stage.inner:
        steps, _ = bodies.body(stage.inner, names)
        return {"each": {"items": _items(bodies, items, names), "steps": steps}}
    if found is None:
        place = stage.get("cascade") or stage.at
        message = f"there is no cascade `{(written or stage.written)[:60]}` in this file"
        cause = "a nested cascade is one of the same file"
        fix = suggest(written, bodies.drafts.names()) or (
            f"add it: `cascades: {{{written or 'NAME'}: {{stages: [...]}}}}`, or `cascade:` with this `name`"
        )
        bodies.scribe.error(CASCADE, message, place, cause=cause, fix=fix)
        return {"steps": {"missing": {"run": "false"}}}
    name, needed = found
    given = stage.get("inputs")
    values: dict[str, Any] = {}
    if isinstance(given, Mapping):
        values = {one.key.text: bodies.template(text(one.value), one.value, names) for one in given.entries}
    if items is not None:
        values.setdefault("item", "${item}")
    for one in sorted(needed - set(values)):
        path = names.split(one)
        values[one] = "${" + (path[0].expression(path[1]) if path else bodies.missing(stage.at)(one)) + "}"
    call = {"workflow": name, **({"inputs": values} if values else {})}
    if items is None:
        return {**call, **bodies.properties(stage)}
    return {"each": {"items": _items(bodies, items, names), "steps": {name: call}}}


def _items(bodies: Bodies, tree: Tree, names: Names) -> str | list[str]:
    if isinstance(tree, Sequence):
        return [bodies.template(one.text, one, names) for one in texts(tree)]
    return bodies.template(text(tree), tree, names)


GROUPS: Final[dict[str, Group]] = {
    "steps": _steps,
    "parallel": _parallel,
    "branch": _branch,
    "loop": _loop,
    "repair": _repair,
    "nested": _nested,
}
