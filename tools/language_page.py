"""The reference page of the YAML language, from the tables that the reader and the schema use."""

from __future__ import annotations

from collections.abc import Iterable

from maestri.lang import keys
from maestri.lang.expressions.functions import FUNCTIONS
from maestri.patterns._registry import Option, PatternSpec
from maestri.project.patterns import Patterns

_FORMS = {
    "bodies": "named bodies",
    "arms": "named bodies with `when`",
    "graph": "named steps with `needs`",
    "predicate": "a condition, `${...}`",
    "items": "a list, or an expression that gives one",
    "workflow": "a name or a file",
    "seconds": "a duration",
    "duration": "a duration: `90s`, `30m`, `4h`, `2d`",
    "value": "a value; expressions are evaluated",
    "text": "a text",
    "texts": "a mapping of texts",
    "integers": "whole numbers",
    "names": "a list of texts",
    "command": "a text, or a list of arguments",
    "retry": "a number, or a mapping",
    "wait": "a duration, or `{signal: NAME}`",
}


def page() -> str:
    """Return the page: the keys of a file, of a step, of each verb and pattern, and the functions."""
    lines = ["# The YAML language", "", "Every key there is; `maestri schema` gives the same to an editor.", ""]
    lines += ["## A file", "", ", ".join(f"`{word}`" for word in keys.FILE), ""]
    lines += [f"An input has {', '.join(f'`{word}`' for word in keys.INPUT)}.", ""]
    lines += [f"Types of inputs: {', '.join(f'`{word}`' for word in keys.INPUT_TYPES)}.", ""]
    lines += ["## A step", "", "Exactly one verb or pattern, and any of these:", "", *_keys(keys.COMMON)]
    lines += ["### `retry`", "", *_keys(keys.RETRY), "## Verbs", ""]
    for verb, found in keys.VERBS.items():
        lines += [f"### `{verb}`", "", *_keys(found)]
    lines += ["## Patterns", "", "What each is for: [patterns](patterns.md).", ""]
    for keyword, spec in Patterns().items():
        lines += [f"### `{keyword}`", "", spec.summary, "", *_options(spec)]
    lines += ["## Functions of expressions", "", "| call | what it gives |", "|---|---|"]
    lines += [f"| `{_cell(one.usage)}` | {_cell(one.about)} |" for one in FUNCTIONS.values()]
    later = ", ".join(f"`{word}`" for word in sorted(keys.LATER))
    lines += ["", "## Not in this version", "", f"Words of the language that `check` names as such: {later}."]
    return "\n".join(lines) + "\n"


def _keys(found: Iterable[keys.Key]) -> list[str]:
    rows = ["| key | takes | what for |", "|---|---|---|"]
    for key in found:
        takes = " or ".join(f"`{word}`" for word in key.words) or _FORMS.get(key.form, key.form)
        rows.append(f"| `{key.name}` | {takes} | {_cell(key.doc)}{' (required)' if key.required else ''} |")
    return [*rows, ""]


def _options(spec: PatternSpec) -> list[str]:
    rows = ["| key | takes | what for |", "|---|---|---|"]
    rows += [f"| `{one.name}` | {_takes(one)} | {_cell(one.doc)}{_default(one)} |" for one in spec.options]
    return [*rows, ""]


def _takes(option: Option) -> str:
    if option.kind == "scalar":
        words = [f"`{word}`" for word in option.words]
        return " or ".join([*words, *(f"{kind.__name__}" for kind in option.types)])
    if option.kind == "body":
        bound = ", ".join(f"`{name}`" for name in option.binds.names)
        return f"a body{f' that sees {bound}' if bound else ''}"
    return _FORMS[option.kind]


def _default(option: Option) -> str:
    if option.required:
        return " (required)"
    return "" if option.default is None else f" Default: `{option.default}`."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
