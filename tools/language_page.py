"""The reference page of the YAML language: the prose of `language.md`, and tables from the source.

Rule: a table comes from what the reader and the schema read; `<!-- table: NAME -->` says where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from maestri.lang import keys
from maestri.lang.expressions.functions import FUNCTIONS
from maestri.lang.schema import FILE_KEYS, INPUT_KEYS
from maestri.patterns._registry import Option, PatternSpec
from maestri.project.patterns import Patterns

PROSE = Path(__file__).with_name("language.md")
_MARK = re.compile(r"<!-- table: (\w+) -->")
_FORMS = {
    "bodies": "bodies by name",
    "arms": "a body, with `when`",
    "graph": "steps by name, with `needs`",
    "undoable": "steps by name, with `undo`",
    "phases": "a body, with `validate`, `on_invalid` and `max_tries`",
    "streams": "bodies by name, with `sync` steps",
    "body": "a body",
    "predicate": "a condition, `${...}`",
    "expression": "an expression, `${...}`, or a value",
    "items": "a list, or an expression that gives one",
    "workflow": "a name or a file",
    "seconds": "a duration",
    "duration": "a duration: `90s`, `30m`, `4h`, `2d`",
    "value": "a value; expressions are evaluated",
    "text": "a text, as it is written",
    "template": "a text; expressions are evaluated",
    "list": "a list of texts",
    "texts": "values by name; expressions are evaluated",
    "integers": "a whole number, or a list of them",
    "names": "a list of names, or one",
    "command": "a text for the shell, or a list of arguments",
    "retry": "a number of attempts, or a mapping",
    "wait": "a duration, or `{signal: NAME}`",
    "files": "a path, or a list of them; globs are allowed",
    "checks": "a command, an expression, or a list of them",
    "checklist": "checks by the words of each item",
    "schema": "a JSON Schema, or the name of one",
    "count": "a whole number from 0 to 10",
    "values": "values by name, or a list of fields",
    "memory": "`{write: {NAME: value}}`",
    "cache": "`true`, or a duration",
    "number": "a number, or an expression that gives one",
    "estimate": "a text, or `{tokens: 150k, duration: 2h, usd: 3}`",
    "sandbox": "a profile, or `{profile: code, minimum: basic, limits: {wall: 10m}, read: [], write: []}`",
}


_RETRY_FORMS = {
    "max": "a whole number from 1",
    "factor": "a number from 1 to 100",
    "jitter": "a number from 0 to 1",
}
_SCALARS = {int: "a whole number from 1", float: "a number", bool: "`true` or `false`", str: "a text"}
_TAKES = {
    "any": "anything",
    "text": "a text, as it is written",
    "path": "a text that names a file or a folder",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "`true` or `false`",
    "list": "a list",
    "mapping": "a mapping",
}


def page() -> str:
    """Return the page: the prose of `language.md` with each of its tables in place.

    Raises:
        KeyError: The prose asks for a table that there is not.
    """
    tables = {
        "file": _table(FILE_KEYS),
        "inputs": _table(INPUT_KEYS),
        "types": _types(),
        "step": _keys(keys.COMMON),
        "retry": _keys(keys.RETRY, _RETRY_FORMS),
        "verbs": [line for verb in keys.VERBS for line in _verb(verb)],
        "patterns": [line for spec in Patterns().values() for line in _pattern(spec)],
        "bound": _bound(),
        "functions": _functions(),
        "later": [", ".join(f"`{word}`" for word in sorted(keys.LATER))],
    }
    return _MARK.sub(lambda mark: "\n".join(tables[mark[1]]).strip("\n"), PROSE.read_text(encoding="utf-8"))


def _verb(verb: str) -> list[str]:
    return [f"### `{verb}`", "", *_keys(keys.VERBS[verb])]


def _pattern(spec: PatternSpec) -> list[str]:
    return [f"### `{spec.keyword}`", "", spec.summary, "", *options(spec)]


def _functions() -> list[str]:
    rows = [f"| `{_cell(one.usage)}` | {_cell(one.about)} |" for one in FUNCTIONS.values()]
    return ["| call | what it gives |", "|---|---|", *rows]


def _table(about: dict[str, str]) -> list[str]:
    rows = [f"| `{key}` | {_cell(text)} |" for key, text in about.items()]
    return ["| key | what for |", "|---|---|", *rows]


def _types() -> list[str]:
    """Return a row for each type of inputs, with its other names."""
    rows = ["| type | also written | takes |", "|---|---|---|"]
    for kind in keys.INPUT_TYPES:
        also = ", ".join(f"`{word}`" for word, same in keys.SAME_TYPE.items() if same == kind)
        rows.append(f"| `{kind}` | {also} | {_TAKES[kind]} |")
    return rows


def _bound() -> list[str]:
    """Return a row for each key of a pattern in which names are bound."""
    rows = ["| pattern | its key | binds | |", "|---|---|---|---|"]
    bound = [(spec, one) for spec in Patterns().values() for one in spec.options if one.binds.names]
    for spec, option in bound:
        renamed = option.binds.renamed_by
        also = f"`{renamed}: NAME` calls the first one `NAME`" if renamed else ""
        rows.append(f"| `{spec.keyword}` | `{option.name}` | {_names(option)} | {also} |")
    return rows


def _names(option: Option) -> str:
    return ", ".join(f"`{name}`" for name in option.binds.names)


def _keys(found: Iterable[keys.Key], forms: dict[str, str] | None = None) -> list[str]:
    rows = ["| key | takes | what for |", "|---|---|---|"]
    for key in found:
        takes = " or ".join(f"`{word}`" for word in key.words) or _FORMS.get(key.form, key.form)
        takes = (forms or {}).get(key.name, takes)
        rows.append(f"| `{key.name}` | {takes} | {_cell(key.doc)}{' (required)' if key.required else ''} |")
    return [*rows, ""]


def options(spec: PatternSpec) -> list[str]:
    """Return a row for each key of a pattern, and where they stand."""
    rows = ["| key | takes | what for |", "|---|---|---|"]
    rows += [f"| `{_key(one)}` | {_takes(one)} | {_cell(one.doc)}{_default(one)} |" for one in spec.options]
    if (body := spec.option("steps")) is not None and body.kind == "body":
        about = "The output of the body; that of its last step without it."
        rows.append(f"| `output` | {_FORMS['value']} | {about} |")
    return [*rows, "", *_place(spec)]


def _place(spec: PatternSpec) -> list[str]:
    """Return where the keys stand, if it is not under the keyword."""
    if spec.spread is not None:
        return [f"The {spec.spread.name} stand directly under `{spec.keyword}`, by their names.", ""]
    main = spec.option(spec.keyword)
    beside = [f"`{one.name}`" for one in spec.options if main not in {None, one}]
    if main is not None and main.kind == "body":
        beside.append("`output`")
    return [f"{' and '.join(beside)} stands beside `{spec.keyword}`, not under it.", ""] if beside else []


def _key(option: Option) -> str:
    return "NAME" if option.kind in {"arms", "phases"} else option.name


def _takes(option: Option) -> str:
    if option.kind == "scalar":
        words = [f"`{word}`" for word in option.words]
        return " or ".join([*words, *(_SCALARS[kind] for kind in option.types)])
    form = "steps by name, in order" if option.name == "steps" else "a body"
    form = form if option.kind == "body" else _FORMS[option.kind]
    return f"{form}; sees {_names(option)}" if option.binds.names else form


def _default(option: Option) -> str:
    if option.required:
        return " (required)"
    return "" if option.default is None else f" Default: `{option.default}`."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
