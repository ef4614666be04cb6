"""Every fenced configuration of the documents runs, on agents that are scripted, or says why it cannot."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.importers.crew import Crew, blocks, checked, made, ran

from maestri.importers.recognising import CASCADE, CZARINA, TASK_ORCHESTRATOR
from maestri.kernel.state import SUCCEEDED

CASCADES, BLOCKS, WORKERS = "0-cascade.md", "2-task-orchestrator.md", "3-czarina.md"
DIALECTS = {CASCADES: CASCADE, BLOCKS: TASK_ORCHESTRATOR, WORKERS: CZARINA}
# What cannot run, by the line that the block begins on, with what is said to it.
REFUSED = {
    (CASCADES, 141): "L313",  # placeholders: `path_a: [conditions]`
    (CASCADES, 517): "L319",  # the nested cascade is not in it
    (BLOCKS, 32): "L318",  # how a team works, without the team
    (BLOCKS, 122): "L318",
    (WORKERS, 416): "L317",  # names of events
    (WORKERS, 428): "L317",  # an event
}
ALL = [(name, line) for name in DIALECTS for line in blocks(name)]
RUN = [one for one in ALL if one not in REFUSED]


def test_the_documents_have_all_their_configurations() -> None:
    assert [len(blocks(name)) for name in DIALECTS] == [20, 7, 12]


@pytest.mark.parametrize(("name", "line"), RUN)
def test_it_is_recognised_and_its_import_checks_clean(name: str, line: int) -> None:
    found = made(blocks(name)[line].text)
    assert found.dialect == DIALECTS[name]
    assert [one.text() for one in checked(found)] == []


@pytest.mark.parametrize(("name", "line"), RUN)
def test_it_runs(name: str, line: int, tmp_path: Path) -> None:
    file = tmp_path / f"block.{blocks(name)[line].language}"
    file.write_text(blocks(name)[line].fenced, encoding="utf-8")
    crew = Crew()
    inputs = {"threshold": 8} if "threshold" in file.read_text() else {}
    ended = asyncio.run(ran(file, crew, inputs))
    assert ended.status == SUCCEEDED, ended.failure
    assert crew.asked


@pytest.mark.parametrize(("name", "line"), REFUSED)
def test_it_says_why_it_cannot_run(name: str, line: int) -> None:
    found = made(blocks(name)[line].text)
    errors = [one for one in found.findings if one.severity == "error"]
    assert {one.code for one in errors} == {REFUSED[name, line]}
    assert all(one.span and one.cause and one.fix for one in errors)
    assert found.text == ""
