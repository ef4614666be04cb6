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

_DURATION = r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)"
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST_S: Final = 3650 * _UNITS["d"]  # far above what is meant, far below what a timer cannot count
_TRUTHS: Final = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")
WRONG = "L203"
UNREADABLE = Template((), is_single=False)  # of a text whose expressions are wrong: nothing is known of it


def kind_of(tree: Tree) -> str:
    """Return the word for what stands somewhere."""
    if isinstance(tree, Scalar):
        return plain_type(tree.value)
    return "list" if isinstance(tree, Sequence) else "mapping"


def _a(kind: str) -> str:
    return kind if kind == "null" else f"a {kind}"


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
    cause = "no other value stands for true or false"
    fix = "write one expression, such as `${len(lint) > 0}`"
    if not isinstance(tree, Scalar):
        message = f"a condition is needed, and this is a {kind_of(tree)}"
        findings.add(WRONG, message, tree.span, cause=cause, fix=fix)
        return None
    if isinstance(tree.value, bool):
        return PredicateDef(Fixed(tree.value, tree.span), binds)
    value = dynamic(findings, tree)
    if isinstance(value, Templated) and value.template.is_single:
        return PredicateDef(value, binds)
    if isinstance(value, Templated) and value.template is UNREADABLE:
        return None
    if isinstance(value, Templated) or "${" not in tree.text:
        message = "a condition must be one `${...}` expression, true or false"
        if isinstance(tree.value, str):
            cause = "text around `${...}` makes it a text, which is neither true nor false"
        if isinstance(tree.value, str) and "${" not in tree.text:
            cause = f"in YAML 1.2 `{tree.text[:60]}` is a text, which is neither true nor false"
        word = _TRUTHS.get(tree.text.lower())
        findings.add(WRONG, message, tree.span, cause=cause, fix=f"write `{word}`" if word else fix)
    return None


def literal_text(findings: Findings, tree: Tree, what: str) -> str:
    """Return a text that takes no expressions, as it is written (`1.10` stays `1.10`)."""
    if not isinstance(tree, Scalar) or tree.value is None:
        message = f"{what} must be a text, and this is {_a(kind_of(tree))}"
        cause = "it is taken as it is written, without being looked into"
        findings.add(WRONG, message, tree.span, cause=cause, fix="write a text")
        return ""
    return tree.text


def duration(findings: Findings, tree: Tree, what: str) -> float | None:
    """Return a duration in seconds: `90s`, `30m`, `4h`, `2d`, `1h30m`; a bare number is refused."""
    text = tree.text.strip() if isinstance(tree, Scalar) else ""
    parts = list(re.finditer(_DURATION, text))
    fix = "write a number and a unit: `90s`, `30m`, `4h`, `2d`, `1h30m`"
    seconds = sum(float(part.group(1)) * _UNITS[part.group(2)] for part in parts)
    sizes = [_UNITS[part.group(2)] for part in parts]
    cause = ""
    if not parts or "".join(part.group() for part in parts) != text:
        cause = "a duration is a number and a unit: ms, s, m, h or d"
        if text.replace(".", "").isdigit():
            cause = "a number without a unit could mean anything"
    elif sizes != sorted(set(sizes), reverse=True):
        cause = "each unit stands once, the larger before the smaller"
    if cause:
        findings.add(WRONG, f"{what} is not a duration", tree.span, cause=cause, fix=fix)
        return None
    if not 0 < seconds <= _LONGEST_S:
        message, fix = f"{what} must be longer than nothing", "write `1ms` or more"
        if seconds > 0:
            message, fix = f"{what} is too long", "write `3650d` or less"
        cause = "a duration lies between one millisecond and ten years"
        findings.add(WRONG, message, tree.span, cause=cause, fix=fix)
        return None
    return seconds


def integer(findings: Findings, tree: Tree, what: str, least: int) -> int | None:
    """Return a whole number of at least `least`."""
    value = tree.value if isinstance(tree, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        message, cause = f"{what} must be a whole number from {least}", "it says how often or how many"
        findings.add(WRONG, message, tree.span, cause=cause, fix=f"write {least} or more")
        return None
    return value


def names(findings: Findings, tree: Tree, what: str) -> tuple[Scalar, ...]:
    """Return a list of texts; one text stands for a list of one."""
    return (tree,) if isinstance(tree, Scalar) and tree.value is not None else texts(findings, tree, what)


def texts(findings: Findings, tree: Tree, what: str) -> tuple[Scalar, ...]:
    """Return a list of texts."""
    if not isinstance(tree, Sequence):
        message, cause = f"{what} must be a list of texts", f"this is {_a(kind_of(tree))}"
        findings.add(WRONG, message, tree.span, cause=cause, fix="write `[a, b]`")
        return ()
    for item in tree.items:
        if not isinstance(item, Scalar):
            message = f"{what} takes texts, and this is a {kind_of(item)}"
            cause = "every item of this list is taken as it is written"
            findings.add(WRONG, message, item.span, cause=cause, fix="write a text")
    return tuple(item for item in tree.items if isinstance(item, Scalar))


def name(findings: Findings, key: Scalar, what: str) -> str | None:
    """Return a key as a name of a step, a branch, an input or a workflow."""
    if NAME.match(key.text):
        return key.text
    cause = "names stand in expressions, in paths and in file names, where other signs mean something else"
    fix = "begin with a letter; then letters, digits, `_` and `-`, 64 at the most"
    findings.add("L206", f"`{key.text[:80]}` is not a name for {what}", key.span, cause=cause, fix=fix)
    return None


def mapping(findings: Findings, tree: Tree, what: str, fix: str = "") -> Mapping | None:
    """Return a mapping, or None after adding that something else stands there."""
    if isinstance(tree, Mapping):
        return tree
    is_empty = isinstance(tree, Scalar) and tree.value is None
    message = f"{what} is empty" if is_empty else f"{what} must be a mapping, and this is a {kind_of(tree)}"
    cause = "what stands in it is referred to by name"
    if is_empty:
        cause = "nothing stands behind its `:`, nor indented below it"
    if isinstance(tree, Sequence):
        fix = fix or "write `name: step` below each other, without `-`"
    findings.add(WRONG, message, tree.span, cause=cause, fix=fix or "write `key: value`")
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
        cause = "without it nobody knows when to give up"
        findings.add("L202", "`retry` says nothing of `max`", table.span, cause=cause, fix="add `max: 3`")
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
            message = f"`{key}` must be a number from {low:g} to {high:g}"
            cause = "by it the wait grows each time, and a wait never becomes shorter"
            if key == "jitter":
                cause = "it is the fraction by which a wait varies"
            fix = f"write a number from {low:g} to {high:g}, such as {'2' if key == 'factor' else '0.1'}"
            findings.add(WRONG, message, value.span, cause=cause, fix=fix)
        else:
            fields[key] = float(number)
