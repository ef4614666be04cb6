"""Sandboxes as a user meets them: in a file, on the command line, in the record, and in `doctor`."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import maestri
from maestri.errors import SandboxUnavailable, SandboxUnsupported
from maestri.project import Project
from maestri.sandboxes.bubblewrap import Bubblewrap
from maestri.sandboxes.local import LocalSandboxes

FLOW = """
workflow: boxed
workflows:
  inner: {steps: {look: {run: "ls ../outside 2>/dev/null || echo none"}}}
agents:
  reader: {backend: run, command: "cat; ls ../outside 2>/dev/null || echo none", sandbox: SANDBOX}
steps:
  all:
    sandbox: SANDBOX
    parallel:
      branches:
        plain: {run: "ls ../outside 2>/dev/null || echo none"}
        called: {workflow: inner}
        checked: {run: "true", verify: "! ls ../outside"}
        free: {run: "ls ../outside", sandbox: none}
  asked: {agent: reader, prompt: "x "}
output: {all: "${all}", asked: "${asked}"}
"""
BASIC = "{profile: code, minimum: basic}"


def start(tmp_path: Path, *words: str, flow: str = FLOW) -> subprocess.CompletedProcess[str]:
    for name in ("here", "outside"):
        (tmp_path / name).mkdir(exist_ok=True)
    (tmp_path / "outside" / "secret").touch()
    (tmp_path / "here" / "flow.yaml").write_text(flow.replace("SANDBOX", BASIC))
    return command(tmp_path, "run", "flow.yaml", *words)


def command(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "maestri", *words],
        cwd=tmp_path / "here",
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "MAESTRI_STATE": str(tmp_path / "state"),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def records(tmp_path: Path) -> dict[str, Any]:
    said = command(tmp_path, "events", "@last", "--jsonl").stdout.splitlines()
    events = [json.loads(line) for line in said]
    return {one["path"]: one["data"] for one in events if one.get("what") == "sandbox"}


def test_a_sandbox_holds_everything_inside_of_its_step(tmp_path: Path) -> None:
    done = start(tmp_path, "--json")
    output = json.loads(done.stdout)["output"]
    assert output["all"] == {"plain": "none", "called": "none", "checked": "", "free": "secret"}
    assert output["asked"] == "x none"
    found = records(tmp_path)
    assert set(found) == {
        "/all/plain", "/all/called/look", "/all/checked/do", "/all/checked/verify/check", "/asked",
    }  # fmt: skip
    assert all("read outside" in one["blocked"] for one in found.values())


def test_a_step_runs_without_where_the_command_line_says_so(tmp_path: Path) -> None:
    steps = ("a: {run: ls ../outside, sandbox: SANDBOX}", "b: {run: ls, sandbox: SANDBOX}")
    flow = f"steps: {{{', '.join(steps)}}}"
    assert start(tmp_path, "--unsafe-no-sandbox", "a", flow=flow).returncode == 0
    found = records(tmp_path)
    assert (found["/a"], found["/b"]["profile"]) == ({"mechanism": "none", "asked": "code"}, "code")


def test_doctor_says_how_sandboxes_stand(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    found = {one["what"]: one for one in json.loads(command(tmp_path, "doctor", "--json").stdout)}
    assert found["sandbox"]["state"] in {"ok", "warning"}
    assert "its canary had all" in found["sandbox"]["words"]


def run_here(project: Project, function: Any) -> Any:
    async def whole() -> Any:
        try:
            execution = await project.start(project.of_function(function), {})
            return (await execution.wait()).result()
        finally:
            await project.close()

    return asyncio.run(whole())


@maestri.workflow
async def boxed(ctx: maestri.Context) -> str:
    found: str = await ctx.run("check", "touch ran", sandbox="code")
    return found


@maestri.workflow
async def calls(ctx: maestri.Context) -> Any:
    return await ctx.agent("think", "of nothing", by="own", sandbox="code")


class Own:
    """An agent of somebody's own, which knows of no sandbox."""

    async def perform(self, task: Any, attempt: Any) -> Any:
        raise AssertionError("it was asked")

    async def close(self) -> None:
        return


def test_where_no_sandbox_works_nothing_is_run(tmp_path: Path) -> None:
    project = Project(state=str(tmp_path / "state"), cwd=str(tmp_path))
    broken = LocalSandboxes(tmp_path / "launches", tmp_path / "state", ways=(Bubblewrap("/bin/false"),))
    project.doing.isolating._sandboxes = broken
    with pytest.raises(SandboxUnavailable, match="step `check` asks for isolation"):
        run_here(project, boxed)
    assert not (tmp_path / "ran").exists()


def test_an_agent_that_knows_no_sandbox_is_not_asked(tmp_path: Path) -> None:
    project = Project(state=str(tmp_path / "state"), cwd=str(tmp_path), agents={"own": Own()})
    with pytest.raises(SandboxUnsupported, match="nothing was run"):
        run_here(project, calls)
