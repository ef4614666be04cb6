"""Definitions that refer to each other: files, names, functions."""

from __future__ import annotations

from pathlib import Path

from maestri import patterns
from maestri.errors import Span
from maestri.lang.definitions import Library, PythonTarget, open_workflow
from maestri.lang.model import WorkflowDef, WorkflowRef
from maestri.patterns._registry import spec

PATTERNS = {found.keyword: found for found in (spec(getattr(patterns, name)) for name in patterns.__all__)}
NOWHERE = Span(1, 1, 1, 1)
LEAF = "steps: {a: {run: make}}\n"


def opened(library: Library, file: Path) -> WorkflowDef:
    definition, findings = library.open(str(file), file.name)
    assert definition is not None, [one.text() for one in findings]
    return definition


def written(folder: Path, **texts: str) -> Path:
    """Write `NAME=text` as NAME.yaml; returns the first."""
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder / f"{next(iter(texts))}.yaml"


def test_a_file_is_opened_without_being_checked(tmp_path: Path) -> None:
    file = written(tmp_path, main="steps: {a: {run: [echo, '${nothing}']}}\n")
    definition, findings = open_workflow(str(file), "main.yaml", PATTERNS)
    assert definition is not None
    assert (definition.name, findings) == ("main", [])


def test_a_file_is_read_once(tmp_path: Path) -> None:
    library = Library(PATTERNS)
    file = written(tmp_path, main=LEAF)
    (tmp_path / "other.yaml").symlink_to(file)
    assert opened(library, file) is opened(library, tmp_path / "other.yaml")


def test_names_files_and_functions_are_resolved(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "leaf.yml").write_text(LEAF, encoding="utf-8")
    (tmp_path / "flow.py").write_text("", encoding="utf-8")
    library = Library(PATTERNS)
    main = opened(library, written(tmp_path, main=LEAF + "workflows: {w: {steps: {a: {run: make}}}}\n"))

    def resolve(target: str) -> object:
        return library.resolve(WorkflowRef(target, NOWHERE), main)

    leaf = resolve("sub/leaf.yml")
    assert isinstance(leaf, WorkflowDef)
    assert (leaf.name, leaf.source.name) == ("leaf", "sub/leaf.yml")
    assert resolve("w") is main.workflows["w"]
    assert resolve("package.module:function") == PythonTarget("package.module", "function")
    assert resolve("flow.py:build") == PythonTarget(str(tmp_path / "flow.py"), "build")
    assert [resolve(gone) for gone in ("x", "gone.yaml", "gone.py:f", "a:b:c", "")] == [None] * 5


def test_inner_workflows_see_those_beside_them(tmp_path: Path) -> None:
    text = LEAF + "workflows: {v: {steps: {a: {workflow: w}}}, w: {steps: {a: {run: make}}}}\n"
    library = Library(PATTERNS)
    main = opened(library, written(tmp_path, main=text))
    assert library.resolve(WorkflowRef("w", NOWHERE), main.workflows["v"]) is main.workflows["w"]
    assert library.check(main) == []


def test_findings_of_a_file_are_told_once_under_its_own_name(tmp_path: Path) -> None:
    calls = "steps: {a: {workflow: bad.yaml}, b: {workflow: bad.yaml}}\n"
    file = written(tmp_path, main=calls, bad="steps: {a: {run: make, hue: red}, b: {run: [e, '${x}']}}\n")
    library = Library(PATTERNS)
    found = library.check(opened(library, file))
    assert [(one.file, one.code) for one in found] == [("bad.yaml", "L201"), ("bad.yaml", "L210")]


def test_a_circle_over_several_files_is_found(tmp_path: Path) -> None:
    file = written(tmp_path, a="steps: {x: {workflow: b.yaml}}\n", b="steps: {x: {workflow: a.yaml}}\n")
    library = Library(PATTERNS)
    found = library.check(opened(library, file))
    assert [(one.code, one.message) for one in found] == [
        ("L226", "these workflows call each other without end: a → b → a")
    ]


def test_texts_stand_for_the_files_that_they_were(tmp_path: Path) -> None:
    file = written(tmp_path, main="steps: {a: {workflow: leaf.yaml}}\n", leaf=LEAF)
    library = Library(PATTERNS)
    assert library.check(opened(library, file)) == []
    texts = library.texts()
    file.unlink()
    (tmp_path / "leaf.yaml").unlink()
    again = library.of_texts(texts)
    assert again.check(opened(again, file)) == []
    assert again.texts() == texts
    assert [Path(path).name for path in texts] == ["main.yaml", "leaf.yaml"]


def test_no_code_is_run_to_check_an_address(tmp_path: Path) -> None:
    (tmp_path / "bomb.py").write_text("raise SystemExit(1)\n", encoding="utf-8")
    file = written(tmp_path, main="steps: {a: {workflow: 'bomb.py:f'}, b: {call: 'bomb:f'}}\n")
    library = Library(PATTERNS)
    assert library.check(opened(library, file)) == []
