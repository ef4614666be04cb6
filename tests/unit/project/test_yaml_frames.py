"""A YAML workflow that calls a Python function keeps its frames: a `finally` must not run at parking."""

from pathlib import Path

import pytest

from maestri.project import Project

FLOWS = {
    "plain.yaml": "steps:\n  a: {run: 'true'}\n",
    "direct.yaml": "steps:\n  a: {workflow: 'inner.py:inner'}\n",
    "nested.yaml": "steps:\n  p: {parallel: {branches: {x: {workflow: direct.yaml}}}}\n",
    "inner.yaml": "workflows:\n  w: {steps: {a: {workflow: 'inner.py:inner'}}}\nsteps:\n  a: {workflow: w}\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inner.py").write_text("async def inner(ctx):\n    return await ctx.signal('go')\n")
    for name, text in FLOWS.items():
        (tmp_path / name).write_text(f"workflow: flow\n{text}")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "keeps"), [("plain", False), ("direct", True), ("nested", True), ("inner", True)]
)
def test_frames_are_kept_where_code_of_a_user_is_in_them(folder: Path, name: str, keeps: bool) -> None:
    project = Project(state=str(folder / "state"), cwd=str(folder))
    assert project.load(str(folder / f"{name}.yaml")).definition.keeps_frames is keeps
