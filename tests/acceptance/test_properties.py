"""Handoffs, the cache and what a definition states, as a user meets them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

FLOW = """workflow: flow
steps:
  net:
    graph:
      steps:
        text: {run: 'printf abc > text.txt', delivers: text.txt, estimate: {tokens: 150k}}
        count:
          {run: wc -c < text.txt, output: json, reads: text.txt, cache: true, needs: [text], reason: counts}
  build: {run: echo built, handoff: {README complete: test -s README.md, licence: test -s LICENSE}}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "flow.yaml").write_text(FLOW, encoding="utf-8")
    return tmp_path


def maestri(desk: Path, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "maestri", *words],
        cwd=desk,
        env={**kept, "MAESTRI_STATE": str(desk / "state"), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_an_unmet_handoff_blocks_the_run_until_it_is_met(desk: Path) -> None:
    (desk / "LICENSE").write_text("free")
    assert maestri(desk, "run", "flow.yaml").returncode == 3
    shown = maestri(desk, "show", "@last").stdout
    assert "README complete" in shown and "licence" not in shown
    assert maestri(desk, "unblock", "@last", "/net").returncode == 2
    (desk / "README.md").write_text("read")
    assert maestri(desk, "unblock", "@last").returncode == 0
    resumed = maestri(desk, "resume", "@last")
    assert (resumed.returncode, "built" in resumed.stdout) == (0, True)


def test_what_is_kept_is_listed_shown_and_cleared(desk: Path) -> None:
    maestri(desk, "run", "flow.yaml")
    (entry,) = json.loads(maestri(desk, "cache", "list", "--json").stdout)
    assert (entry["value"], entry["path"]) == (3, "/net/count/keep")
    assert "/net/count/keep" in maestri(desk, "cache", "show", entry["key"][:6]).stdout
    assert maestri(desk, "cache", "show", "zz").returncode == 2
    assert maestri(desk, "cache", "clear").stdout == "removed 1 kept output\n"
    assert maestri(desk, "cache", "list").stdout == "nothing is kept\n"


def test_what_a_definition_states_is_shown_and_drawn(desk: Path) -> None:
    maestri(desk, "run", "flow.yaml")
    shown = maestri(desk, "show", "@last", "/net/count").stdout
    assert "reason  counts" in shown and "reads   text.txt" in shown
    drawn = maestri(desk, "graph", "flow.yaml").stdout
    assert "counts" in drawn and "delivers text.txt" in drawn and "estimate 150k tokens" in drawn
