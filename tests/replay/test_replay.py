"""Journals that earlier versions have written: today's code reads them, says the same of them, and goes on.

Every folder beside this file is one version (`record.py`). What is in it is never written again.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.replay.reading import folded, lines, opened, text_of

from maestri.engines.sqlite.verify import verify
from maestri.kernel import events as ev
from maestri.kernel.ports import RunInfo
from maestri.project import Project
from maestri.testing.crashing import copy_run

HERE = Path(__file__).parent
VERSIONS = sorted(file.parent.name for file in HERE.glob("*/journal-0001.db"))
RUNS = ["cancelled", "everything", "failed", "interrupted", "reopened", "waiting"]
PLACE = "/tmp/maestri-replay"

every_version = pytest.mark.parametrize("version", VERSIONS)
every_run = pytest.mark.parametrize("name", RUNS)


@pytest.fixture
def kept(tmp_path: Path, version: str) -> Iterator[Project]:
    """Give the journal of a version, in a state directory of its own."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    shutil.copyfile(HERE / version / "journal-0001.db", state / "journal-0001.db")
    with opened(state, Path(PLACE)) as project:
        yield project


def named(project: Project, name: str) -> RunInfo:
    """Return the run of a workflow."""
    (run,) = [run for run in project.runs() if run.workflow == name]
    return run


def resumed(project: Project, name: str) -> tuple[str, Any, list[str]]:
    """Go on with a run; return its status, its output, and the steps that were begun."""

    async def work() -> tuple[str, Any]:
        execution = await project.resume(run, recorded=True)
        ended = await execution.wait()
        await project.close()
        return ended.status, ended.output

    run = named(project, name)
    before = len(lines(project, run))
    status, output = asyncio.run(work())
    with opened(project.state.root, Path(PLACE)) as later:
        reader = later.reader(run)
        begun = [event.path for event in reader.events(before, 1000) if event.kind == ev.STARTED]
        reader.close()
    return status, output, begun


def test_there_is_a_version_to_replay() -> None:
    assert VERSIONS


@every_version
def test_every_run_is_there_and_whole(kept: Project) -> None:
    assert sorted(run.workflow for run in kept.runs()) == RUNS
    assert [verify(kept.catalog, run.id) for run in kept.runs()] == [[]] * len(RUNS)
    assert kept.damage() == []


@every_version
@every_run
def test_the_events_read_as_they_did(kept: Project, version: str, name: str) -> None:
    expected = (HERE / version / f"{name}.jsonl").read_text(encoding="utf-8")
    assert lines(kept, named(kept, name)) == expected.splitlines()


@every_version
@every_run
def test_the_state_of_every_step_is_what_it_was(kept: Project, version: str, name: str) -> None:
    expected = (HERE / version / f"{name}.json").read_text(encoding="utf-8")
    assert text_of(folded(kept, named(kept, name))) == expected


@every_version
def test_a_run_that_was_killed_goes_on(kept: Project) -> None:
    status, output, begun = resumed(kept, "interrupted")
    assert (status, output) == ("succeeded", "quick")
    assert begun == ["/crowd/slow/nap", "/rounds/round/turn", "/rounds/round#2/turn"]


@every_version
def test_a_run_that_was_cancelled_goes_on(kept: Project) -> None:
    status, output, begun = resumed(kept, "cancelled")
    assert (status, output) == ("succeeded", "quick")
    assert begun == ["/crowd/slow/nap", "/rounds/round/turn", "/rounds/round#2/turn"]


@every_version
def test_a_run_that_has_failed_does_what_failed_again(kept: Project) -> None:
    status, _, begun = resumed(kept, "failed")
    assert (status, begun) == ("failed", ["/both/broken/break"])


@every_version
def test_a_run_that_has_failed_goes_on_when_it_is_decided(kept: Project) -> None:
    async def decide() -> None:
        await kept.direct(named(kept, "failed"), "accept", "/both/broken/break", 7)
        await kept.close()

    asyncio.run(decide())
    assert resumed(kept, "failed") == ("succeeded", 2, ["/after"])


@every_version
def test_a_run_that_waits_takes_its_answer(kept: Project) -> None:
    kept.post(named(kept, "waiting"), "answer", {"path": "/go", "value": "yes"})
    assert resumed(kept, "waiting") == ("succeeded", "yes", ["/after"])


def cut_before_its_end(project: Project, name: str) -> None:
    """Give the project a run of the same events but the last, which says that it has ended."""
    run = named(project, name)
    with closing(project.reader(run)) as reader:
        events = reader.events(limit=1000)[:-1]

    async def copy() -> None:
        await copy_run(events, run._replace(id="copy", name="copy", workflow="copy"), project.doing.engine)
        await project.close()

    asyncio.run(copy())


@every_version
@pytest.mark.parametrize("name", ["everything", "reopened"])
def test_a_run_that_had_all_but_its_end_comes_to_the_same_without_doing_anything(
    kept: Project, name: str
) -> None:
    with closing(kept.reader(named(kept, name))) as reader:
        output = reader.events(limit=1000)[-1].body["output"]
    cut_before_its_end(kept, name)
    assert resumed(kept, "copy") == ("succeeded", output, [])
