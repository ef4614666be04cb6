"""Repairs and contests as a user starts them: what is shown, and what a killed process leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

REPAIR = """workflow: mend
steps:
  mend:
    repair:
      dir: shop
      check: {run: grep -q good a.txt}
      fix:
        run: 'echo good > a.txt; touch b.txt; while [ ! -e "$GO" ]; do sleep 0.02; done'
        env: {GO: "GO_FILE"}
"""
ASKED = (
    REPAIR.split("      fix:", maxsplit=1)[0]
    + '      fix: {ask: "Mend it in ${dir}", options: [done, given up]}\n'
)
CHOICE = """workflow: choice
steps:
  page: {fallback: {branches: {near: {run: exit 3}, far: {run: echo page}}}}
"""


def begin(desk: Path, *words: str) -> subprocess.Popen[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "maestri", *words],
        cwd=desk,
        env={**kept, "MAESTRI_STATE": str(desk / "state"), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def maestri(desk: Path, *words: str) -> tuple[int, str]:
    begun = begin(desk, *words)
    said, _ = begun.communicate(timeout=60)
    return begun.returncode, said


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "a.txt").write_text("bad")
    (tmp_path / "mend.yaml").write_text(REPAIR.replace("GO_FILE", str(tmp_path / "go")))
    (tmp_path / "asked.yaml").write_text(ASKED)
    (tmp_path / "choice.yaml").write_text(CHOICE)
    return tmp_path


def shop(desk: Path) -> dict[str, str]:
    return {file.name: file.read_text().strip() for file in sorted((desk / "shop").iterdir())}


def copies(desk: Path) -> list[Path]:
    return [copy for folder in (desk / "state").glob("runs/*/copies") for copy in folder.iterdir()]


def test_a_repair_that_is_killed_has_changed_nothing_and_is_taken_up_by_the_next_process(desk: Path) -> None:
    begun = begin(desk, "run", "mend.yaml")
    end = time.monotonic() + 30
    while not any((copy / "tree" / "shop" / "b.txt").exists() for copy in copies(desk)):
        assert time.monotonic() < end, begun.communicate()
        time.sleep(0.02)
    os.killpg(begun.pid, signal.SIGKILL)
    begun.communicate()
    assert shop(desk) == {"a.txt": "bad"}
    (desk / "go").touch()
    code, said = maestri(desk, "resume", "@last")
    assert code == 0, said
    assert shop(desk) == {"a.txt": "good", "b.txt": ""}
    assert copies(desk) == []


def test_a_person_mends_the_copy_between_two_processes(desk: Path) -> None:
    assert maestri(desk, "run", "asked.yaml")[0] == 3
    (place,) = (copy / "tree" / "shop" for copy in copies(desk))
    (place / "a.txt").write_text("good")
    assert maestri(desk, "answer", "@last", "/mend/round/fix", "done")[0] == 0
    code, said = maestri(desk, "resume", "@last")
    assert code == 0, said
    assert shop(desk) == {"a.txt": "good"}


def test_show_says_who_won_and_how_the_others_failed(desk: Path) -> None:
    maestri(desk, "run", "choice.yaml")
    _, said = maestri(desk, "show", "@last", "/page")
    assert "winner  far won · near failed: `exit 3` ended with exit code 3" in said
    lines = [json.loads(line) for line in maestri(desk, "events", "@last", "--jsonl")[1].splitlines()]
    assert [line["value"]["winner"] for line in lines if line["kind"] == "decided"] == ["far"]
