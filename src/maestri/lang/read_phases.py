"""Reads phases: bodies with what judges them, directly under their keyword."""

from __future__ import annotations

from typing import Any, Final

from maestri.errors import Span
from maestri.lang import read_values as read
from maestri.lang.model import BodyDef, PhaseDef, PredicateDef
from maestri.lang.read_patterns import StepReader
from maestri.lang.tree import Mapping, Scalar, Tree
from maestri.patterns._registry import Option, PatternSpec

KEYS: Final = ("validate", "on_invalid", "max_tries")
POLICIES: Final = ("stop", "retry", "ask")
_JUDGED: Final = ("output",)  # what a validator sees by name
_TOLD: Final = ("problem",)  # what a phase sees that did not pass


def read_phases(
    reader: StepReader, table: Mapping, spec: PatternSpec, _option: Option
) -> dict[str, PhaseDef]:
    """Read the phases that stand under a keyword."""
    if not table.entries:
        cause, fix = "there would be nothing to do", "add a phase with `steps:`"
        reader.findings.add("L209", f"`{spec.keyword}` is empty", table.span, cause=cause, fix=fix)
    found = {}
    for entry in table.entries:
        name = read.name(reader.findings, entry.key, "a phase")
        what = f"the phase `{entry.key.text}`"
        phase = _phase(reader, entry.value, what)
        if name is not None and phase is not None:
            found[name] = phase._replace(body=phase.body._replace(name_span=entry.key.span))
    return found


def _phase(reader: StepReader, tree: Tree, what: str) -> PhaseDef | None:
    table = read.mapping(reader.findings, tree, what, "write `steps:`, with `validate:` beside it")
    if table is None:
        return None
    own = {entry.key.text: entry.key.span for entry in table.entries if entry.key.text in KEYS}
    if own and table.get("steps") is None:
        return _of_step(reader, table, what, own)
    values: dict[str, Any] = {}
    validate, policy, tries = (table.get(key) for key in KEYS)
    if validate is not None:
        values["validate"] = _validator(reader, validate, what)
    if policy is not None:
        values["on_invalid"] = _word(reader, policy)
    if tries is not None:
        values["max_tries"] = read.integer(reader.findings, tries, "`max_tries`", 1) or 1
    return PhaseDef(reader.body(table, what, _TOLD, more=KEYS), keys=own, **values)


def _of_step(reader: StepReader, table: Mapping, what: str, own: dict[str, Span]) -> PhaseDef:
    """Say that what belongs to a phase stands in a step, and read the rest."""
    key, span = next(iter(own.items()))
    message = f"`{key}` cannot stand beside a step in {what}"
    cause = "it judges the phase, and what stands here is the one step of the phase"
    fix = f"write `steps: {{NAME: …}}` in {what}, and `{key}` beside `steps`"
    reader.findings.add("L201", message, span, cause=cause, fix=fix)
    rest = [entry for entry in table.entries if entry.key.text not in own]
    return PhaseDef(reader.body(Mapping(rest, table.span), what, _TOLD))


def _validator(reader: StepReader, tree: Tree, what: str) -> BodyDef | PredicateDef | None:
    if isinstance(tree, Scalar):
        return reader.predicate(tree, _JUDGED)
    return reader.body(tree, f"`validate` of {what}", _JUDGED)


def _word(reader: StepReader, tree: Tree) -> str:
    text = tree.text if isinstance(tree, Scalar) else ""
    if text in POLICIES:
        return text
    shown = f"`{text[:60]}`" if isinstance(tree, Scalar) else f"a {read.kind_of(tree)}"
    fix = f"use one of: {', '.join(f'`{word}`' for word in POLICIES)}"
    cause = "it says what becomes of a phase that does not pass"
    reader.findings.add(read.WRONG, f"`on_invalid` cannot be {shown}", tree.span, cause=cause, fix=fix)
    return "stop"
