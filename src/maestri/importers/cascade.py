"""Cascades: stages in order, at once, by condition, in rounds, in a sandbox, nested, with fallbacks.

| theirs | ours |
|---|---|
| a stage, a skill | an `agent:` step; its outputs become `returns` and `outputs` |
| a list of names, `type: parallel`, `swarm-parallel` | `parallel` |
| `type: conditional`, `branches` | `branch` |
| `type: iterative`, `repeat_until`, `repeat_while` | `loop` |
| `type: codex-sandbox` | `repair` |
| `type: nested`, `cascade`, `for_each` | `workflow`, `each` |
| `error_handling` | `retry` and `fallback` |
| `dependencies` | `graph` |
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from maestri.importers.bodies import Bodies, Drafts
from maestri.importers.conditions import Names
from maestri.importers.groups import GROUPS
from maestri.importers.ordering import arranged
from maestri.importers.scribe import NOTHING, Scribe, literal, step_name, text
from maestri.importers.shapes import Usage
from maestri.importers.stages import read_stages
from maestri.importers.writing import At
from maestri.lang.inputs import InputDef
from maestri.lang.keys import INPUT_TYPES, SAME_TYPE
from maestri.lang.tree import Mapping, Scalar, Sequence, Tree, to_json

_TOP: Final = (
    "cascade", "parent_cascade", "name", "description", "version", "stages", "inputs", "config", "variables",
    "cascades", "child_cascades", "memory",
)  # fmt: skip
_CONFIG: Final = ("dag_execution",)


def read_cascade(scribe: Scribe, tree: Mapping, stem: str) -> dict[str, Any]:
    """Return a file of cascades as a document of ours; what is said about it goes to the scribe.

    Args:
        scribe: Takes down findings.
        tree: The file.
        stem: The name of the file without its ending, for a cascade that has no name.
    """
    main, others = _parted(scribe, tree)
    drafts = Drafts(scribe, Usage(_words(tree), _lists(tree)), others, GROUPS, arranged, _child)
    bodies = Bodies(drafts, _variables(main, tree))
    name = step_name(text(main.get("name")) or text(tree.get("name")) or stem)
    document: dict[str, Any] = {"workflow": At(name, main.span.line)}
    version = text(main.get("version")) or text(tree.get("version"))
    if version:
        document["version"] = version
    about = text(main.get("description")) or text(tree.get("description"))
    if about:
        document["description"] = literal(about)
    bodies.cascade = name
    stages = read_stages(scribe, main.get("stages"))
    if not stages:
        message = "this cascade has no stages"
        fix = "write `stages:` with a list of names under it"
        scribe.error(NOTHING, message, main, cause="a workflow needs something to do", fix=fix)
    inputs = _inputs(scribe, main.get("inputs"), bodies)
    steps, _ = bodies.body(stages, Names())
    inputs |= bodies.inputs
    if inputs:
        document["inputs"] = inputs
    document["steps"] = At(steps, _line(main, "stages"))
    if drafts.made:
        document["workflows"] = drafts.made
    return document


def _line(table: Mapping, key: str) -> int:
    entry = table.entry(key)
    return entry.key.span.line if entry is not None else table.span.line


def _parted(scribe: Scribe, tree: Mapping) -> tuple[Mapping, dict[str, Mapping]]:
    """Return the cascade to run, and the others by their names; warn of what means nothing."""
    held = {
        one.key.text: one.value
        for one in tree.entries
        if isinstance(one.value, Mapping) and one.value.get("stages") is not None
    }
    for key in ("cascades", "child_cascades"):
        group = tree.get(key)
        for one in group.entries if isinstance(group, Mapping) else ():
            if isinstance(one.value, Mapping):
                held[one.key.text] = one.value
    if tree.get("stages") is not None:
        main = tree
    else:
        first = next((key for key in ("parent_cascade", "cascade") if key in held), next(iter(held), ""))
        main = held.pop(first, tree)
        scribe.unread(main, _TOP, "a cascade")
        scribe.unread(tree, (*_TOP, first, *held), "this file")
    if main is tree:
        scribe.unread(tree, (*_TOP, *held), "a cascade")
    config = main.get("config")
    if isinstance(config, Mapping):
        scribe.unread(config, _CONFIG, "`config`")
    return main, {text(one.get("name")) or key: one for key, one in held.items()}


def _variables(main: Mapping, tree: Mapping) -> dict[str, Tree]:
    found: dict[str, Tree] = {}
    for table in (tree.get("variables"), main.get("variables")):
        if isinstance(table, Mapping):
            found |= {one.key.text: one.value for one in table.entries}
    return found


def _inputs(scribe: Scribe, tree: Tree | None, bodies: Bodies) -> dict[str, Any]:
    """Return the inputs of a cascade, with their types by our names."""
    made: dict[str, Any] = {}
    if isinstance(tree, Sequence):
        for item in tree.items:
            name = text(item) or (text(item.get("name")) if isinstance(item, Mapping) else "")
            if name:
                made[name] = At(_input(scribe, item), item.span.line)
    elif isinstance(tree, Mapping):
        made = {one.key.text: At(_input(scribe, one.value), one.key.span.line) for one in tree.entries}
    bodies.declared = set(made)
    return made


def _input(scribe: Scribe, tree: Tree) -> dict[str, Any]:
    if isinstance(tree, Scalar):
        word = tree.text.lower()
        known = word in INPUT_TYPES or word in SAME_TYPE
        return {"type": SAME_TYPE.get(word, word) if known else "any"}
    if not isinstance(tree, Mapping):
        return {"type": "any"}
    scribe.unread(tree, ("name", *InputDef._fields), "an input")
    word = text(tree.get("type")).lower()
    made: dict[str, Any] = {"type": SAME_TYPE.get(word, word if word in INPUT_TYPES else "any")}
    for key in ("required", "default", "description"):
        value = tree.get(key)
        if value is not None and not (key == "required" and tree.get("default") is not None):
            made[key] = to_json(value)
    return made


def _words(tree: Tree) -> Iterator[str]:
    """Yield every text of a file."""
    if isinstance(tree, Scalar):
        yield tree.text
        return
    if isinstance(tree, Mapping) and tree.get("metric") is not None and tree.get("threshold") is not None:
        yield f"{text(tree.get('metric'))} >= {text(tree.get('threshold'))}"
    for inner in _inner(tree):
        yield from _words(inner)


def _lists(tree: Tree) -> Iterator[str]:
    """Yield every text of a file that must be a list."""
    if isinstance(tree, Mapping) and tree.get("for_each") is not None:
        yield text(tree.get("for_each"))
    for inner in _inner(tree):
        yield from _lists(inner)


def _inner(tree: Tree) -> list[Tree]:
    if isinstance(tree, Sequence):
        return tree.items
    return [one.value for one in tree.entries] if isinstance(tree, Mapping) else []


def _child(drafts: Drafts, written: str, table: Mapping) -> tuple[dict[str, Any], set[str]]:
    """Return a cascade that another one calls, as a workflow, and the inputs that it must be given."""
    bodies = Bodies(drafts, _variables(table, table))
    bodies.cascade = step_name(written)
    inputs = _inputs(drafts.scribe, table.get("inputs"), bodies)
    drafts.scribe.unread(table, _TOP, f"the cascade `{written}`")
    stages = read_stages(drafts.scribe, table.get("stages"))
    given = {"item": {"type": "any", "required": False}} if drafts.per_item(written) else {}
    bodies.declared |= set(given)
    steps, _ = bodies.body(stages, Names())
    found = {**inputs, **given, **bodies.inputs}
    made: dict[str, Any] = {"inputs": found} if found else {}
    return {**made, "steps": At(steps, table.span.line)}, set(inputs) | set(bodies.inputs)
