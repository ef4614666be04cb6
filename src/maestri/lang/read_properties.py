"""Reads the properties that few steps have: checks, files, schemas, memory, cache, priority, estimate."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as MappingOf
from typing import Any, Final, cast

from maestri.errors import Span
from maestri.lang import read_values as read
from maestri.lang.expressions.template import parse_template
from maestri.lang.findings import Findings
from maestri.lang.keys import PROPERTIES
from maestri.lang.model import (
    CheckDef,
    Dynamic,
    Estimate,
    Fixed,
    Properties,
    Record,
    Returns,
    Templated,
)
from maestri.lang.parts import part
from maestri.lang.read_verbs import VerbReader
from maestri.lang.source import suggest
from maestri.lang.tree import Entry, Mapping, Scalar, Sequence, Tree, to_json
from maestri.patterns._answers import references, schema_problem
from maestri.values import Json

NO_SCHEMA: Final = "L270"
UNKNOWN_SCHEMA: Final = "L271"
OUTPUT: Final = ("output",)  # what a check and the values after it see beside the names of the step
CHECK_KEYS: Final = ("run", "env", "stdin", "cwd", "ok")
MOST_TURNS: Final = 10
_TOKENS = re.compile(r"(\d+(?:\.\d+)?)\s*([kM]?)\Z")
_NAMED = re.compile(r"#/schemas/([A-Za-z][A-Za-z0-9_-]{0,63})\Z")


def read_properties(findings: Findings, table: Mapping, schemas: MappingOf[str, Returns]) -> Properties:
    """Read the properties of a step, or add what is wrong with them."""
    names = {key.name for key in PROPERTIES}
    given = {entry.key.text: entry for entry in table.entries if entry.key.text in names}
    reader = _Reader(findings, schemas)
    fields: dict[str, Any] = {}
    keys: dict[str, Span] = {}
    for name, entry in given.items():
        found = reader.fields(name, entry)
        if any(value != () for value in found.values()) or _is_empty(entry.value):
            keys[name] = entry.key.span  # of the others it has been said what is wrong with them
        fields |= found
    return Properties(keys, **fields)


def _is_empty(tree: Tree) -> bool:
    parts = tree.items if isinstance(tree, Sequence) else getattr(tree, "entries", None)
    return parts == []


def read_schemas(findings: Findings, tree: Tree) -> dict[str, Returns]:
    """Read `schemas:` of a file; a reference to another of them is `#/schemas/NAME`."""
    table = read.mapping(findings, tree, "`schemas`", "write `NAME: {type: object}`")
    found: dict[str, Returns] = {}
    for entry in () if table is None else table.entries:
        name = read.name(findings, entry.key, "a schema")
        if name is not None:
            found[name] = Returns(to_json(entry.value), entry.value.span, name)
    for one in found.values():
        _check_schema(findings, _bundled(one.schema, found), one.span, f"`{one.name}`", found)
    return found


def read_schema(findings: Findings, tree: Tree, schemas: MappingOf[str, Returns]) -> Returns | None:
    """Read the `schema` of a question: a JSON Schema, or the name of one under `schemas`."""
    return _Reader(findings, schemas).schema(tree, "schema")


def _check_schema(
    findings: Findings, schema: Json, span: Span, what: str, schemas: MappingOf[str, Returns]
) -> bool:
    for reference in references(schema):
        named = _NAMED.match(reference)
        if named is not None:
            cause, fix = "there is no such schema under `schemas:`", suggest(named[1], list(schemas))
            fix = fix or f"define it: `schemas: {{{named[1]}: …}}`"
            findings.add(UNKNOWN_SCHEMA, f"there is no schema `{named[1]}`", span, cause=cause, fix=fix)
            return False
    problem = schema_problem(schema)
    if problem:
        message, fix = f"{what} is no JSON Schema that can be used", "see json-schema.org for what it may say"
        findings.add(NO_SCHEMA, message, span, cause=problem, fix=fix)
    return not problem


def _bundled(schema: Json, schemas: MappingOf[str, Returns]) -> Json:
    """Return a schema with those that it refers to inside of it, so that it stands for itself."""
    wanted: dict[str, Json] = {}
    waiting = [schema]
    while waiting:
        for reference in references(waiting.pop()):
            named = _NAMED.match(reference)
            if named and named[1] in schemas and named[1] not in wanted:
                wanted[named[1]] = schemas[named[1]].schema
                waiting.append(schemas[named[1]].schema)
    if not wanted or not isinstance(schema, dict):
        return schema
    inside = {name: _renamed(one, wanted) for name, one in wanted.items()}
    own = schema.get("$defs")
    whole = cast("dict[str, Json]", _renamed(schema, wanted))
    return {**whole, "$defs": {**(own if isinstance(own, dict) else {}), **inside}}


def _renamed(part: Json, wanted: MappingOf[str, Json]) -> Json:
    if isinstance(part, list):
        return [_renamed(one, wanted) for one in part]
    if not isinstance(part, dict):
        return part
    found = {key: _renamed(one, wanted) for key, one in part.items()}
    reference = found.get("$ref")
    named = _NAMED.match(reference) if isinstance(reference, str) else None
    return {**found, "$ref": f"#/$defs/{named[1]}"} if named and named[1] in wanted else found


class _Reader:
    """Reads the properties of one step; each method is for one form of `keys.py`."""

    def __init__(self, findings: Findings, schemas: MappingOf[str, Returns]) -> None:
        self.findings = findings
        self.schemas = schemas
        self.verbs = VerbReader(findings)

    def fields(self, name: str, entry: Entry) -> dict[str, Any]:
        """Return what a property says, by the fields of `Properties`."""
        if name == "cache":
            return self._cache(entry.value)
        form = next(key for key in PROPERTIES if key.name == name)
        found = _FORMS[form.form](self, entry.value, name)
        return {} if found is None else {name: found}

    def files(self, tree: Tree, name: str) -> tuple[Dynamic, ...]:
        return tuple(read.dynamic(self.findings, one) for one in read.names(self.findings, tree, f"`{name}`"))

    def checks(self, tree: Tree, _name: str) -> tuple[CheckDef, ...]:
        is_command = isinstance(tree, Scalar | Mapping)
        trees = [tree] if is_command else cast("Sequence", tree).items
        return tuple(check for one in trees if (check := self._check(one)) is not None)

    def checklist(self, tree: Tree, name: str) -> tuple[CheckDef, ...]:
        table = read.mapping(self.findings, tree, f"`{name}`", "write `the item: its check`")
        found = []
        for entry in () if table is None else table.entries:
            check = self._check(entry.value)
            if check is not None:
                found.append(check._replace(said=entry.key.text))
        return tuple(found)

    def _check(self, tree: Tree) -> CheckDef | None:
        """Read a check: one expression, a command, or a command with options."""
        if isinstance(tree, Scalar) and ("${" in tree.text and not _is_shell(tree)):
            holds = read.predicate(self.findings, tree, OUTPUT)
            return None if holds is None else CheckDef(tree.text, tree.span, holds=holds)
        table = tree
        if not isinstance(tree, Mapping):
            table = Mapping([Entry(Scalar("run", "run", tree.span), tree)], tree.span)
        table = cast("Mapping", table)
        for entry in table.entries:
            if entry.key.text not in CHECK_KEYS:
                self.findings.unknown("key of a check", entry.key, CHECK_KEYS)
        verb = table.entry("run")
        if verb is None:
            cause = "a check is a command or one expression"
            fix = "write `{run: make test}`, or `${output.ok}`"
            self.findings.add("L202", "this check says nothing to run", tree.span, cause=cause, fix=fix)
            return None
        run = self.verbs.run(verb, table)
        return CheckDef(_said(verb.value), tree.span, run=run)

    def schema(self, tree: Tree, name: str) -> Returns | None:
        if isinstance(tree, Scalar) and tree.value is not None:
            if tree.text in self.schemas:
                known = self.schemas[tree.text]
                return Returns(_bundled(known.schema, self.schemas), tree.span, tree.text)
            fix = suggest(tree.text, list(self.schemas)) or f"define it: `schemas: {{{tree.text[:40]}: …}}`"
            cause = f"a text under `{name}` is the name of a schema of this file"
            message = f"there is no schema `{tree.text[:80]}`"
            self.findings.add(UNKNOWN_SCHEMA, message, tree.span, cause=cause, fix=fix)
            return None
        schema = _bundled(to_json(tree), self.schemas)
        fits = _check_schema(self.findings, schema, tree.span, f"`{name}`", self.schemas)
        return Returns(schema, tree.span) if fits else None

    def count(self, tree: Tree, name: str) -> int | None:
        found = read.integer(self.findings, tree, f"`{name}`", 0)
        if found is not None and found > MOST_TURNS:
            message, cause = f"`{name}` is too large", "an agent that errs so often is asked for too much"
            self.findings.add(read.WRONG, message, tree.span, cause=cause, fix=f"write {MOST_TURNS} or less")
        return found

    def word(self, tree: Tree, name: str) -> str | None:
        words = next(key.words for key in PROPERTIES if key.name == name)
        return self.verbs.word(tree, name, words)

    def values(self, tree: Tree, name: str) -> Record | None:
        """Read values by name; a list of names stands for those parts of the answer."""
        if isinstance(tree, Sequence):
            return Record(tuple(self._part(one) for one in read.texts(self.findings, tree, name)), tree.span)
        table = read.mapping(self.findings, tree, f"`{name}`", 'write `NAME: "${output.field}"`')
        if table is None:
            return None
        for entry in table.entries:
            read.name(self.findings, entry.key, "a value")
        return cast("Record", read.dynamic(self.findings, table))

    def _part(self, scalar: Scalar) -> tuple[str, Dynamic]:
        name = read.name(self.findings, scalar, "a value") or "value"
        text = f"${{output.{name}}}"
        return name, Templated(parse_template(text), scalar._replace(value=text, text=text))

    def memory(self, tree: Tree, name: str) -> Record | None:
        table = read.mapping(self.findings, tree, f"`{name}`", "write `memory: {write: {NAME: value}}`")
        for entry in () if table is None else table.entries:
            if entry.key.text != "write":
                self.findings.unknown("key of `memory`", entry.key, ["write"])
        write = None if table is None else table.get("write")
        if table is not None and write is None:
            cause = "what others read as `${memory.NAME}` is written under `write`"
            fix = 'write `memory: {write: {NAME: "${output}"}}`'
            self.findings.add("L202", "`memory` writes nothing", table.span, cause=cause, fix=fix)
        return None if write is None else self.values(write, "write")

    def _cache(self, tree: Tree) -> dict[str, Any]:
        if isinstance(tree, Scalar) and isinstance(tree.value, bool):
            return {"cache": tree.value}
        age = read.duration(self.findings, tree, "`cache`")
        return {} if age is None else {"cache": True, "max_age_s": age}

    def sandbox(self, tree: Tree, _name: str) -> Json:
        return part("sandbox")(self.findings, tree)  # type: ignore[no-any-return]

    def number(self, tree: Tree, name: str) -> Fixed | Templated | None:
        value = read.dynamic(self.findings, tree)
        if isinstance(value, Templated) and (value.template.is_single or not value.template.parts):
            return value
        is_number = isinstance(value, Fixed) and isinstance(value.value, int | float)
        if is_number and not isinstance(cast("Fixed", value).value, bool):
            return cast("Fixed", value)
        message, cause = f"`{name}` must be a number", "of what is ready, the higher number goes first"
        self.findings.add(read.WRONG, message, tree.span, cause=cause, fix="write a number, such as `10`")
        return None

    def estimate(self, tree: Tree, name: str) -> Estimate | None:
        if isinstance(tree, Scalar):
            return Estimate(read.literal_text(self.findings, tree, f"`{name}`"))
        table = read.mapping(self.findings, tree, f"`{name}`", "write `{tokens: 150k, duration: 2h, usd: 3}`")
        fields: dict[str, Any] = {}
        for entry in () if table is None else table.entries:
            key, value = entry.key.text, entry.value
            if key == "tokens":
                fields["tokens"] = self._tokens(value)
            elif key == "duration":
                fields["duration_s"] = read.duration(self.findings, value, "`duration`")
            elif key == "usd":
                fields["usd"] = self._usd(value)
            else:
                self.findings.unknown("key of `estimate`", entry.key, ["tokens", "duration", "usd"])
        if table is None:
            return None
        said = ", ".join(f"{_text(entry.value)} {entry.key.text}" for entry in table.entries)
        return Estimate(said.replace(" duration", ""), **fields)

    def _tokens(self, tree: Tree) -> int | None:
        found = _TOKENS.match(tree.text.strip()) if isinstance(tree, Scalar) else None
        if found is None:
            cause = "tokens are counted in whole numbers, thousands (k) or millions (M)"
            message = "`tokens` is no number of tokens"
            self.findings.add(read.WRONG, message, tree.span, cause=cause, fix="write `150k`")
            return None
        return round(float(found[1]) * {"": 1, "k": 1_000, "M": 1_000_000}[found[2]])

    def _usd(self, tree: Tree) -> float | None:
        value = tree.value if isinstance(tree, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            message, cause = "`usd` must be a number from 0", "it is money in US dollars"
            self.findings.add(read.WRONG, message, tree.span, cause=cause, fix="write `usd: 3`")
            return None
        return float(value)


def _is_shell(tree: Scalar) -> bool:
    """Tell whether a text is a command that uses a variable of the shell: more than one whole `${...}`."""
    text = tree.text.strip()
    return not (text.startswith("${") and text.endswith("}"))


def _said(tree: Tree) -> str:
    if isinstance(tree, Sequence):
        return " ".join(_text(one) for one in tree.items)
    return _text(tree)


def _text(tree: Tree) -> str:
    return tree.text if isinstance(tree, Scalar) else "…"


_FORMS: Final[dict[str, Callable[[_Reader, Tree, str], Any]]] = {
    "files": _Reader.files,
    "checks": _Reader.checks,
    "checklist": _Reader.checklist,
    "schema": _Reader.schema,
    "count": _Reader.count,
    "word": _Reader.word,
    "values": _Reader.values,
    "memory": _Reader.memory,
    "number": _Reader.number,
    "estimate": _Reader.estimate,
    "sandbox": _Reader.sandbox,
}
