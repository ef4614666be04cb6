"""A text for the shell is handed to it as it stands: an expression in it would be the shell's."""

from __future__ import annotations

import re

from maestri.lang.checks.subject import Subject
from maestri.lang.expressions.functions import FUNCTIONS
from maestri.lang.model import RunDef
from maestri.lang.scopes import INPUTS, View
from maestri.lang.tree import Scalar

EXPRESSION = "L220"
NAME = "L221"
_USE = r"(?s)(?<!\\)\$\{\s*(?P<name>[A-Za-z_][A-Za-z0-9_-]*)(?P<path>(?:\.[A-Za-z_][\w-]*)*)(?P<next>.)"
_ASSIGNED = r"\b([A-Za-z_]\w*)=|\b(?:for|read|local|export)\s+([A-Za-z_]\w*)"


def check_shell(subject: Subject) -> None:
    """Add each `${...}` in a text for the shell that was meant as an expression."""
    for placed in subject.survey.steps:
        action = placed.step.action
        if isinstance(action, RunDef) and action.text is not None and "${" in action.text.text:
            given = {name for name, _ in action.env.entries} if action.env is not None else set()
            given |= {name for found in re.findall(_ASSIGNED, action.text.text) for name in found if name}
            _check(subject, action.text, placed.view, given)


def _check(subject: Subject, text: Scalar, view: View, given: set[str]) -> None:
    for found in re.finditer(_USE, text.text):
        if subject.findings.is_full() and subject.findings.is_full("warning"):
            return
        name, path = found["name"], found["path"]
        is_call = name in FUNCTIONS and found["next"] == "(" and not path
        if is_call or (path and view.sees(name)):
            # In single quotes it may be another language's own, such as a template of JavaScript.
            is_sure = name == INPUTS or not _is_quoted(text.text, found.start())
            _add_expression(subject, text, found, "VALUE" if is_call else "", is_sure=is_sure)
        elif name not in given and name != INPUTS and found["next"] == "}" and view.sees(name):
            _add_name(subject, text, found)


def _is_quoted(text: str, end: int) -> bool:
    """Tell whether a place stands in single quotes, as far as counting them can tell."""
    return bool(text.count("'", 0, end) % 2)


def _add_expression(
    subject: Subject, text: Scalar, found: re.Match[str], variable: str, *, is_sure: bool
) -> None:
    end = text.text.find("}", found.start())
    end = len(text.text) if end < 0 else end + 1
    whole = text.text[found.start() : end]
    variable = variable or _variable(found["path"].rpartition(".")[2])
    shown = whole if len(whole) <= 60 and "\n" not in whole else "${…}"
    quoted = shown.replace("\\", "\\\\").replace('"', '\\"')
    subject.findings.inside(
        text,
        found.start(),
        end,
        EXPRESSION,
        "an expression in `run` is not evaluated",
        cause="the text is handed to the shell as it stands, so that no value can become a command",
        fix=f'pass it by `env: {{{variable}: "{quoted}"}}` and write `"${variable}"`',
        severity="error" if is_sure else "warning",
    )


def _add_name(subject: Subject, text: Scalar, found: re.Match[str]) -> None:
    name = found["name"]
    variable = _variable(name)
    subject.findings.inside(
        text,
        found.start(),
        found.end(),
        NAME,
        f"`${{{name}}}` in `run` is a variable of the shell, not the output of `{name}`",
        cause="the text is handed to the shell as it stands, so that no value can become a command",
        fix=f'pass it by `env: {{{variable}: "${{{name}}}"}}` and write `"${variable}"`',
        severity="warning",
    )


def _variable(name: str) -> str:
    return re.sub(r"\W", "_", name).upper()
