"""Reads the options of a pattern by its signature; no pattern has a reader of its own."""

from __future__ import annotations

from typing import Any, Protocol

from maestri.lang import read_values as read
from maestri.lang.findings import Findings
from maestri.lang.keys import LATER
from maestri.lang.model import (
    ArmDef,
    BodyDef,
    ExpressionDef,
    Fixed,
    OptionDef,
    PatternDef,
    PredicateDef,
    StepDef,
    Templated,
    WorkflowRef,
)
from maestri.lang.parts import part
from maestri.lang.tree import Entry, Mapping, Scalar, Tree
from maestri.patterns._registry import Option, PatternSpec


class StepReader(Protocol):
    """What a pattern's options are read with: the reader of steps, which is defined above this module."""

    findings: Findings

    def body(self, tree: Tree, what: str, binds: tuple[str, ...] = (), more: tuple[str, ...] = ()) -> BodyDef:
        """Read a body."""
        ...

    def steps(self, tree: Tree | None, what: str) -> tuple[StepDef, ...]:
        """Read steps."""
        ...

    def predicate(self, tree: Tree, binds: tuple[str, ...]) -> PredicateDef | None:
        """Read a condition."""
        ...

    def later(self, key: Scalar) -> None:
        """Add that a word is not available yet."""
        ...


def read_pattern(reader: StepReader, spec: PatternSpec, verb: Entry, step: Mapping) -> PatternDef | None:
    """Read a pattern step.

    Where an option has the pattern's own name (`steps`, `workflow`), it is what the keyword holds, and the
    other options stand beside it; where the options are arms, they stand directly under the keyword.
    """
    main = spec.option(spec.keyword)
    if main is not None:
        return _beside(reader, spec, main, verb, step)
    table = read.mapping(reader.findings, verb.value, f"`{spec.keyword}`")
    if table is None:
        return None
    if spec.spread is not None:
        arms = part("read_phases") if spec.spread.kind == "phases" else _arms
        return PatternDef(spec, {spec.spread.name: arms(reader, table, spec, spec.spread)})
    options: dict[str, OptionDef] = {}
    for entry in table.entries:
        option = spec.option(entry.key.text)
        if option is not None:
            _add(options, option, _option(reader, spec, option, entry.value, table))
        elif entry.key.text in LATER:
            reader.later(entry.key)
        elif not (entry.key.text == "output" and _main_body(spec) is not None):
            reader.findings.unknown(f"key of `{spec.keyword}`", entry.key, [o.name for o in spec.options])
    _check_required(reader, spec, options, verb)
    return PatternDef(spec, options)


def _beside(
    reader: StepReader, spec: PatternSpec, main: Option, verb: Entry, step: Mapping
) -> PatternDef | None:
    options: dict[str, OptionDef] = {}
    if main.kind == "body":
        output = step.get("output")
        body = BodyDef(
            reader.steps(verb.value, "this step"),
            verb.value.span,
            None if output is None else read.dynamic(reader.findings, output),
        )
        return PatternDef(spec, {main.name: body})
    for option in spec.options:
        value = verb.value if option is main else step.get(option.name)
        if value is not None:
            _add(options, option, _option(reader, spec, option, value, step))
    return PatternDef(spec, options)


def _add(options: dict[str, OptionDef], option: Option, value: OptionDef | None) -> None:
    if value is not None:
        options[option.name] = value


def _check_required(reader: StepReader, spec: PatternSpec, options: dict[str, Any], verb: Entry) -> None:
    for option in spec.options:
        if option.required and option.name not in options:
            given = verb.value.get(option.name) if isinstance(verb.value, Mapping) else None
            if given is None:
                doc = option.doc[:1].lower() + option.doc[1:].rstrip(".")
                message = f"`{spec.keyword}` needs `{option.name}`: {doc}"
                cause, fix = "there is no default for it", f"add `{option.name}:`"
                reader.findings.add("L202", message, verb.key.span, cause=cause, fix=fix)


def _main_body(spec: PatternSpec) -> Option | None:
    """Return the option `steps` of a pattern that runs one body, beside which an `output` may stand."""
    option = spec.option("steps")
    return option if option is not None and option.kind == "body" else None


def _option(
    reader: StepReader, spec: PatternSpec, option: Option, tree: Tree, table: Mapping
) -> OptionDef | None:
    what = f"`{option.name}` of `{spec.keyword}`"
    if option.kind == "body":
        return _body(reader, option, tree, table, what)
    if option.kind in {"bodies", "streams"}:
        return _bodies(reader, tree, what, _binds(option, table))
    if option.kind in {"graph", "undoable"}:
        return _graph(reader, tree, what)
    if option.kind == "predicate":
        return reader.predicate(tree, _binds(option, table))
    if option.kind == "expression":
        return ExpressionDef(read.dynamic(reader.findings, tree), _binds(option, table))
    if option.kind == "workflow":
        return WorkflowRef(read.literal_text(reader.findings, tree, what), tree.span)
    if option.kind == "command":
        return Fixed(read.literal_text(reader.findings, tree, what), tree.span)
    if option.kind == "seconds":
        seconds = read.duration(reader.findings, tree, what)
        return None if seconds is None else Fixed(seconds, tree.span)
    if option.kind == "scalar":
        return _scalar(reader, option, tree, what)
    return read.dynamic(reader.findings, tree)


def _binds(option: Option, table: Mapping) -> tuple[str, ...]:
    """Return the names that a pattern gives a body, the first of them as the user has called it."""
    renamed = table.get(option.binds.renamed_by) if option.binds.renamed_by else None
    if isinstance(renamed, Scalar) and renamed.text:
        return (renamed.text, *option.binds.names[1:])
    return option.binds.names


def _body(reader: StepReader, option: Option, tree: Tree, table: Mapping, what: str) -> BodyDef:
    if option.name != "steps":
        return reader.body(tree, what, _binds(option, table))
    output = table.get("output")
    return BodyDef(
        reader.steps(tree, what),
        tree.span,
        None if output is None else read.dynamic(reader.findings, output),
        binds=_binds(option, table),
    )


def _bodies(reader: StepReader, tree: Tree, what: str, binds: tuple[str, ...]) -> dict[str, BodyDef] | None:
    table = read.mapping(reader.findings, tree, what, "write `name: step` below each other")
    if table is None:
        return None
    if not table.entries:
        cause, fix = "there would be nothing to run", "add a branch, such as `a: {run: make}`"
        reader.findings.add("L209", f"{what} is empty", table.span, cause=cause, fix=fix)
    found = {}
    for entry in table.entries:
        name = read.name(reader.findings, entry.key, "a branch")
        body = reader.body(entry.value, f"the branch `{entry.key.text}`", binds)
        if name is not None:
            found[name] = body._replace(name_span=entry.key.span)
    return found


def _arms(reader: StepReader, table: Mapping, spec: PatternSpec, option: Option) -> dict[str, ArmDef]:
    wrapped = table.get(option.name) if len(table.entries) == 1 else None
    if isinstance(wrapped, Mapping) and wrapped.entries and _is_table_of_mappings(wrapped):
        message = f"`{option.name}` cannot stand under `{spec.keyword}`"
        cause = f"the {option.name} stand directly under `{spec.keyword}`, by their names"
        fix = f"take `{option.name}:` out, and move what is in it one step to the left"
        reader.findings.add("L201", message, table.entries[0].key.span, cause=cause, fix=fix)
        return _arms(reader, wrapped, spec, option)
    if not table.entries:
        cause, fix = "there would be nothing to choose from", "add an arm with `when:` and `steps:`"
        reader.findings.add("L209", f"`{spec.keyword}` is empty", table.span, cause=cause, fix=fix)
    found = {}
    for entry in table.entries:
        name = read.name(reader.findings, entry.key, "an arm")
        body = reader.body(entry.value, f"the arm `{entry.key.text}`", more=("when",))
        when = entry.value.get("when") if isinstance(entry.value, Mapping) else None
        condition = None if when is None else reader.predicate(when, ())
        if name is not None:
            value = None if condition is None else condition.value
            found[name] = ArmDef(body._replace(name_span=entry.key.span), value)
    return found


def _is_table_of_mappings(table: Mapping) -> bool:
    """Tell whether a mapping holds bodies by name, rather than being one: neither `steps` nor a verb."""
    return table.get("steps") is None and all(isinstance(entry.value, Mapping) for entry in table.entries)


def _graph(reader: StepReader, tree: Tree, what: str) -> tuple[StepDef, ...] | None:
    table = read.mapping(reader.findings, tree, what, "write `name: {run: …, needs: […]}` below each other")
    return None if table is None else reader.steps(table, what)


def _scalar(reader: StepReader, option: Option, tree: Tree, what: str) -> Fixed | Templated | None:
    """Read a scalar option: one of its words, a value of one of its types, or an expression."""
    if isinstance(tree, Scalar):
        value = read.dynamic(reader.findings, tree)
        if isinstance(value, Templated):
            return value
        if isinstance(value, Fixed):
            if tree.text in option.words:
                return Fixed(tree.text, tree.span)
            if str in option.types and tree.value is not None:
                return Fixed(tree.text, tree.span)
            if _fits(value.value, option.types):
                return value
    wanted = [f"`{word}`" for word in option.words]
    wanted += [_TYPE_WORDS[kind] for kind in option.types]
    shown = f"`{tree.text[:60]}`" if isinstance(tree, Scalar) else f"a {read.kind_of(tree)}"
    cause = "what it may be is fixed by the pattern, so that it is known before the run"
    fix = f"write {' or '.join(wanted)}"
    reader.findings.add(read.WRONG, f"{what} cannot be {shown}", tree.span, cause=cause, fix=fix)
    return None


def _fits(value: object, types: tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return bool in types
    if isinstance(value, int):
        return int in types and value >= 1
    return isinstance(value, float) and float in types


_TYPE_WORDS = {int: "a whole number from 1", bool: "`true` or `false`", str: "a text", float: "a number"}
