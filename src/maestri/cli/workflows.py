"""`maestri workflows`: the workflows that can be called by name, from the folders of the library."""

from __future__ import annotations

from typing import Any

from maestri.cli import exits
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser
from maestri.project import Project
from maestri.report.outline import BOLD, DIM
from maestri.report.wording import counted, one_line
from maestri.values import Json


def _arguments(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="as a JSON document")


def _act(options: Any, terminal: Terminal) -> int:
    found = listed(Project(state=options.state))
    if options.json:
        terminal.say_json(found, indent=2)
        return exits.SUCCEEDED
    for one in found:
        _show(one, terminal)
    if not found:
        places = "`.maestri/workflows/`, `workflows/`, the user's `maestri/workflows/` and `$MAESTRI_LIBRARY`"
        terminal.say(f"there are no workflows in {places}")
    return exits.SUCCEEDED


def listed(project: Project) -> list[dict[str, Json]]:
    """Return what there is, in the order in which a name is looked for; `hidden` ones are never called."""
    library = project.library()
    seen: set[str] = set()
    found: list[dict[str, Json]] = []
    for one in library.shelves.all():
        definition, findings = library.open(one.path, one.shown_as)
        findings = findings if definition is None else library.check(definition)
        problems = sum(finding.severity == "error" for finding in findings)
        about: dict[str, Json] = {
            "name": one.name,
            "file": one.shown_as,
            "description": "" if definition is None else definition.description,
            "version": "" if definition is None else definition.version,
            "inputs": {} if definition is None else _inputs(definition),
            "output": "any" if definition is None else library.output_of(definition).kind,
            "problems": problems,
            "hidden": one.name in seen,
            "double": one.also,
        }
        seen.add(one.name)
        found.append(about)
    return found


def _inputs(definition: Any) -> dict[str, Json]:
    return {
        name: {
            "type": one.type,
            "required": one.required,
            "default": one.default,
            "description": one.description,
        }
        for name, one in definition.inputs.items()
    }


def _show(one: dict[str, Any], terminal: Terminal) -> None:
    inputs = [
        f"{name}{'' if about['required'] else '?'}: {about['type']}" for name, about in one["inputs"].items()
    ]
    form = f"({', '.join(inputs)}) -> {one['output']}"
    notes = ["hidden by the one above"] if one["hidden"] else []
    notes += [f"also in {one['double']}"] if one["double"] else []
    notes += [f"{counted(one['problems'], 'error')}: maestri check {one['file']}"] if one["problems"] else []
    where = "  ".join([one["file"], *notes])
    head = terminal.style(one_line(one["name"]), BOLD)
    terminal.say(f"{head}{one_line(form)}  {terminal.style(one_line(where), DIM)}")
    if one["description"]:
        terminal.say(f"  {one_line(one['description'])}")


command = Command(_arguments, _act)
