"""Reads `ask`, `wait` and `emit`: what a step waits for, how long, and what it tells others."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from maestri.lang import read_values as read
from maestri.lang.findings import Findings
from maestri.lang.model import AskDef, EmitDef, Fixed, LateDef, WaitDef
from maestri.lang.parts import part
from maestri.lang.tree import Entry, Mapping, Scalar, Tree

WORDS: Final = ("fail", "skip")
_WAIT_KEYS: Final = ("signal", "until", "timeout", "on_timeout")


def read_waits(reader: Any, verb: Entry, table: Mapping) -> AskDef | WaitDef | EmitDef | None:
    """Read what a step of these verbs does, or add what is wrong with it.

    Args:
        reader: The reader of steps (`read_steps.py`).
        verb: The entry of the verb.
        table: The step.
    """
    findings: Findings = reader.findings
    late = table.get("on_timeout")
    on_timeout = None if late is None else _late(findings, late)
    if verb.key.text == "emit":
        return _emit(findings, verb, table)
    if verb.key.text == "wait":
        return _wait(findings, verb, on_timeout)
    options, schema = table.get("options"), table.get("schema")
    found = () if options is None else read.texts(findings, options, "`options`")
    return AskDef(
        read.dynamic(findings, verb.value),
        tuple(option.text for option in found),
        None if schema is None else part("schema")(findings, schema, reader.schemas),
        on_timeout,
    )


def _emit(findings: Findings, verb: Entry, table: Mapping) -> EmitDef | None:
    text = read.literal_text(findings, verb.value, "`emit`")
    if not text or not isinstance(verb.value, Scalar):
        return None
    name = read.name(findings, verb.value, "an event")
    data = table.get("data")
    if name is None:
        return None
    return EmitDef(name, verb.value.span, None if data is None else read.dynamic(findings, data))


def _late(findings: Findings, tree: Tree) -> LateDef | None:
    if isinstance(tree, Scalar) and tree.text in WORDS:
        return LateDef(tree.text, tree.span)
    default = tree.get("default") if isinstance(tree, Mapping) and len(tree.entries) == 1 else None
    if default is not None:
        return LateDef("default", tree.span, read.dynamic(findings, default))
    shown = f"`{tree.text[:60]}`" if isinstance(tree, Scalar) else f"this {read.kind_of(tree)}"
    cause = "a step whose time is up fails, is skipped, or gives a value that is known"
    fix = "write `fail`, `skip` or `{default: VALUE}`"
    findings.add(read.WRONG, f"`on_timeout` cannot be {shown}", tree.span, cause=cause, fix=fix)
    return None


def _wait(findings: Findings, verb: Entry, on_timeout: LateDef | None) -> WaitDef | None:
    table = verb.value
    if not isinstance(table, Mapping):
        return WaitDef(delay_s=read.duration(findings, table, "`wait`"), on_timeout=on_timeout)
    for entry in table.entries:
        if entry.key.text not in _WAIT_KEYS:
            findings.unknown("key of `wait`", entry.key, _WAIT_KEYS)
    signal, until, timeout, late = (table.get(key) for key in _WAIT_KEYS)
    if signal is not None and until is not None:
        cause, fix = "a step waits for one thing", "keep one; put the other into a step of its own"
        findings.add(read.WRONG, "`wait` says `signal` and `until`", table.span, cause=cause, fix=fix)
        return None
    if until is not None:
        return WaitDef(until=_until(findings, until), on_timeout=on_timeout)
    if signal is None:
        cause, fix = "a mapping under `wait` names a signal or a time", "write `wait: {signal: NAME}`"
        findings.add("L202", "`wait` says not for what", table.span, cause=cause, fix=fix)
        return None
    return WaitDef(
        signal=read.literal_text(findings, signal, "`signal`"),
        timeout_s=None if timeout is None else read.duration(findings, timeout, "`timeout`"),
        on_timeout=on_timeout if late is None else _late(findings, late),
    )


def _until(findings: Findings, tree: Tree) -> Any:
    value = read.dynamic(findings, tree)
    if isinstance(value, Fixed) and not (isinstance(value.value, str) and is_time(value.value)):
        message, cause = "`until` is no point in time", "a time is written as ISO 8601 says, or an expression"
        fix = "write `2026-11-30T09:00:00+01:00`; without an offset it is local time"
        findings.add(read.WRONG, message, tree.span, cause=cause, fix=fix)
    return value


def is_time(text: str) -> bool:
    """Tell whether a text is a point in time as ISO 8601 writes it."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
