"""Reads the small parts of a definition: durations, numbers, names, values with expressions in them."""

from __future__ import annotations

import re
from typing import Final

from maestri.errors import retry_kinds
from maestri.kernel.policy import Retry
from maestri.lang.expressions.template import Template
from maestri.lang.findings import Findings
from maestri.lang.keys import RETRY
from maestri.lang.model import Dynamic, Fixed, Listing, PredicateDef, Record, Templated
from maestri.lang.tree import Entry, Mapping, Scalar, Sequence, Tree
from maestri.values import plain_type

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")
WRONG = "L203"
UNREADABLE = Template((), is_single=False)  # of a text whose expressions are wrong: nothing is known of it


def kind_of(tree: Tree) -> str:
    """Return the word for what stands somewhere."""
    if isinstance(tree, Scalar):
        return plain_type(tree.value)
    return "list" if isinstance(tree, Sequence) else "mapping"


def dynamic(findings: Findings, tree: Tree) -> Dynamic:
    """Return a value whose texts may hold expressions."""
    if isinstance(tree, Scalar):
        if isinstance(tree.value, str) and "${" in tree.text:
            template = findings.template(tree)
            return Templated(UNREADABLE if template is None else template, tree)
        return Fixed(tree.value, tree.span)
    if isinstance(tree, Sequence):
        return Listing(tuple(dynamic(findings, item) for item in tree.items), tree.span)
    entries = tuple((entry.key.text, dynamic(findings, entry.value)) for entry in tree.entries)
    return Record(entries, tree.span)


def predicate(findings: Findings, tree: Tree, binds: tuple[str, ...] = ()) -> PredicateDef | None:
    """Return a condition: one `${...}` expression, or true or false."""
    fix = "write one expression, such as `when: ${len(lint) > 0}`"
    if not isinstance(tree, Scalar):
        findings.add(WRONG, f"a condition is needed, and this is a {kind_of(tree)}", tree.span, fix=fix)
        return None
    if isinstance(tree.value, bool):
        return PredicateDef(Fixed(tree.value, tree.span), binds)
    value = dynamic(findings, tree)
    if isinstance(value, Templated) and value.template.is_single:
        return PredicateDef(value, binds)
    if isinstance(value, Templated) and value.template is UNREADABLE:
        return None
    if isinstance(value, Templated) or "${" not in tree.text:
        cause = "a text is neither true nor false" if isinstance(tree.value, str) else ""
        findings.add(
            WRONG,
            "a condition must be one `${...}` expression, true or false",
            tree.span,
            cause=cause,
            fix=fix,
        )
    return None


def literal_text(findings: Findings, tree: Tree, what: str) -> str:
    """Return a text that takes no expressions, as it is written (`1.10` stays `1.10`)."""
    if not isinstance(tree, Scalar) or tree.value is None:
        findings.add(
            WRONG, f"{what} must be a text, and this is a {kind_of(tree)}", tree.span, fix="write a text"
        )
        return ""
    return tree.text


def duration(findings: Findings, tree: Tree, what: str) -> float | None:
    """Return a duration in seconds: `90s`, `30m`, `4h`, `2d`, `1h30m`; a bare number is refused."""
    text = tree.text.strip() if isinstance(tree, Scalar) else ""
    parts = list(_DURATION.finditer(text))
    fix = "write a number and a unit: `90s`, `30m`, `4h`, `2d`, `1h30m`"
    if not parts or "".join(part.group() for part in parts) != text:
        cause = "a number without a unit could mean anything" if text.replace(".", "").isdigit() else ""
        findings.add(WRONG, f"{what} is not a duration", tree.span, cause=cause, fix=fix)
        return None
    seconds = sum(float(part.group(1)) * _UNITS[part.group(2)] for part in parts)
    if seconds <= 0:
        findings.add(WRONG, f"{what} must be longer than nothing", tree.span, fix=fix)
        return None
    return seconds


def integer(findings: Findings, tree: Tree, what: str, least: int) -> int | None:
    """Return a whole number of at least `least`."""
    value = tree.value if isinstance(tree, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        findings.add(
            WRONG, f"{what} must be a whole number from {least}", tree.span, fix=f"write {least} or more"
        )
        return None
    return value


def names(findings: Findings, tree: Tree, what: str) -> tuple[Scalar, ...]:
    """Return a list of texts; one text stands for a list of one."""
    if isinstance(tree, Scalar) and tree.value is not None:
        return (tree,)
    if isinstance(tree, Sequence):
        wrong = [item for item in tree.items if not isinstance(item, Scalar)]
        for item in wrong:
            findings.add(
                WRONG, f"{what} takes texts, and this is a {kind_of(item)}", item.span, fix="write a text"
            )
        return tuple(item for item in tree.items if isinstance(item, Scalar))
    findings.add(WRONG, f"{what} must be a list of texts", tree.span, fix="write `[a, b]`")
    return ()


def name(findings: Findings, key: Scalar, what: str) -> str | None:
    """Return a key as a name of a step, a branch, an input or a workflow."""
    if NAME.match(key.text):
        return key.text
    fix = "begin with a letter; then letters, digits, `_` and `-`, 64 at the most"
    findings.add("L206", f"`{key.text[:80]}` is not a name for {what}", key.span, fix=fix)
    return None


def mapping(findings: Findings, tree: Tree, what: str, fix: str = "") -> Mapping | None:
    """Return a mapping, or None after adding that something else stands there."""
    if isinstance(tree, Mapping):
        return tree
    is_empty = isinstance(tree, Scalar) and tree.value is None
    message = f"{what} is empty" if is_empty else f"{what} must be a mapping, and this is a {kind_of(tree)}"
    if isinstance(tree, Sequence):
        fix = fix or "write `name: step` below each other, without `-`"
    findings.add(WRONG, message, tree.span, fix=fix or "write `key: value`")
    return None


def retry(findings: Findings, tree: Tree) -> Retry | None:
    """Return the rules of a retry; a bare number is how many attempts there may be."""
    if isinstance(tree, Scalar):
        count = integer(findings, tree, "`retry`", 1)
        return None if count is None else Retry(max_attempts=count)
    table = mapping(findings, tree, "`retry`")
    if table is None:
        return None
    known = {key.name: key for key in RETRY}
    fields: dict[str, object] = {}
    for entry in table.entries:
        if entry.key.text not in known:
            findings.unknown("key of `retry`", entry.key, known)
        else:
            _retry_field(findings, entry, fields)
    if "max_attempts" not in fields and table.get("max") is None:
        findings.add("L202", "`retry` says nothing of `max`", table.span, fix="add `max: 3`")
    return Retry()._replace(**fields)  # type: ignore[arg-type]


def _retry_field(findings: Findings, entry: Entry, fields: dict[str, object]) -> None:
    key, value = entry.key.text, entry.value
    if key == "max":
        fields["max_attempts"] = integer(findings, value, "`max`", 1) or 1
    elif key in {"delay", "max_delay"}:
        fields[f"{key}_s"] = duration(findings, value, f"`{key}`") or 1.0
    elif key in {"on", "not_on"}:
        kinds = names(findings, value, f"`{key}`")
        for kind in kinds:
            if kind.text not in retry_kinds() and not re.fullmatch(r"[SP]\d{3}", kind.text):
                findings.unknown("kind of failure", kind, sorted(retry_kinds()))
        fields[key] = tuple(kind.text for kind in kinds)
    else:
        low, high = (1.0, 100.0) if key == "factor" else (0.0, 1.0)
        number = value.value if isinstance(value, Scalar) else None
        if isinstance(number, bool) or not isinstance(number, int | float) or not low <= number <= high:
            findings.add(
                WRONG, f"`{key}` must be a number from {low:g} to {high:g}", value.span, fix=f"write {low:g}"
            )
        else:
            fields[key] = float(number)
