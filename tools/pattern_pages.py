"""The reference of the patterns: a page with a picture for each, and one that lists them with their tests.

Rule: everything on these pages is read: docstrings, signatures, the example of each pattern, the tests.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path

import covered
import language_page
from maestri.guide.words import words
from maestri.patterns._registry import PatternSpec
from maestri.project import Project
from maestri.report.diagrams.shapes import Shape, of_definition
from maestri.report.diagrams.svg import svg
from sources import ROOT, SRC, python_sources

EXAMPLES = ROOT / "examples" / "patterns"


def pages() -> Iterator[tuple[str, str]]:
    """Yield name and text of each page and picture, as seen from the folder of the reference."""
    project = Project()
    yield "patterns.md", _index(project.patterns)
    for keyword, spec in project.patterns.items():
        yield f"patterns/{keyword}.md", _page(spec)
        yield f"patterns/{keyword}.svg", _picture(project, keyword)


def _picture(project: Project, keyword: str) -> str:
    """Return the drawing of the step of an example that uses its pattern.

    Raises:
        RuntimeError: No step of the example does.
    """
    model = project.load(str(EXAMPLES / f"{keyword}.yaml")).model
    shape = _find(of_definition(model), keyword) if model is not None else None
    if shape is None:
        raise RuntimeError(f"examples/patterns/{keyword}.yaml does not use `{keyword}`")
    return svg(shape)


def _find(shape: Shape, kind: str) -> Shape | None:
    """Return the first shape of a kind; a body is drawn as `steps` too, so the deepest counts last."""
    if shape.kind == kind:
        return shape
    return next((found for child in shape.children if (found := _find(child, kind))), None)


def _page(spec: PatternSpec) -> str:
    said, name = words(spec), spec.keyword
    example = (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")
    title = [f"# `{name}`", "", said.summary, "", f"![{name}, as its example uses it]({name}.svg)", ""]
    lines = [*title, "```text", said.shape, "```", ""]
    lines += ["| | |", "|---|---|"]
    rows = {"use it for": said.when, "not if": said.avoid, "cost": said.cost, "in the journal": said.journal}
    lines += [f"| {key} | {_cell(text)} |" for key, text in (rows | {"comes from": said.source}).items()]
    lines += ["", "## Keys", "", *language_page.options(spec)]
    lines += ["## In YAML", "", f"`examples/patterns/{name}.yaml`, which needs no key and no account:", ""]
    lines += ["```yaml", example.rstrip(), "```", ""]
    lines += ["## In Python", "", "```text", _signature(spec), "```", ""]
    doc = inspect.getdoc(spec.function) or ""
    return "\n".join([*lines, "```text", doc, "```", "", "[All patterns](../patterns.md)", ""])


def _signature(spec: PatternSpec) -> str:
    """Return the function of a pattern as it stands in its source."""
    file = Path(inspect.getsourcefile(spec.function) or "")
    return _declared(ast.parse(file.read_text(encoding="utf-8")), spec.function.__name__)


def _declared(tree: ast.Module, name: str) -> str:
    part = next(one for one in tree.body if isinstance(one, ast.AsyncFunctionDef) and one.name == name)
    returns = f" -> {ast.unparse(part.returns)}" if part.returns else ""
    return f"async def {part.name}({ast.unparse(part.args)}){returns}"


def _cell(text: str) -> str:
    """Return a text for a cell; what stands in angle brackets would be taken for a tag."""
    return text.replace("|", "\\|").replace("<name>", "NAME").replace("<", "&lt;").replace(">", "&gt;")


def _index(patterns: Mapping[str, PatternSpec]) -> str:
    """Return the page that lists the patterns."""
    specs = list(patterns.values())
    lines = ["# Patterns", ""]
    lines += ["Each is a function of `maestri.patterns` and a keyword of YAML; its parameters are the keys."]
    lines += ["Which one fits: [choose a pattern](../how-to/choose-a-pattern.md), or `maestri suggest`.", ""]
    lines += ["| pattern | what it does | use it for |", "|---|---|---|"]
    for spec in specs:
        said = words(spec)
        lines.append(
            f"| [`{spec.keyword}`](patterns/{spec.keyword}.md) | {said.summary} | {_cell(said.when)} |"
        )
    lines += ["", *_checked(), "## Tests", ""]
    lines += [
        "Which test covers what of each; the numbers are those of the list below. No cell may be empty."
    ]
    lines += ["The tests of `test_constructs.py` are done with every pattern, in both of its forms.", ""]
    found = covered.cells(covered.collected(), [spec.keyword for spec in specs])
    lines += [*covered.table(found), "", "## Types of parameters", ""]
    lines += ["What a parameter of a pattern may be, and what it is in YAML.", ""]
    return "\n".join([*lines, "```text", _parameter_types(), "```"]) + "\n"


def _checked() -> list[str]:
    """Return the section of what is a function without a keyword."""
    source = next(one for one in python_sources(SRC / "patterns") if one.file.stem == "checked")
    lines = ["## checked", "", "A function only: in YAML it is what the properties of a step become.", ""]
    lines += ["```text", ast.get_docstring(source.tree) or "", "```", ""]
    return [*lines, "```text", _declared(source.tree, "checked"), "```", ""]


def _parameter_types() -> str:
    """Return the table of `_registry.py`, which reads signatures by it."""
    source = next(one for one in python_sources(SRC / "patterns") if one.file.stem == "_registry")
    doc = inspect.cleandoc(ast.get_docstring(source.tree) or "")
    return "\n".join(line[4:] for line in doc.splitlines() if line.startswith("    "))
