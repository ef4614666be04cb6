"""A workflow in YAML and the same one in Python write the same journal."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.same.playing import FORMS, Form, Playing, facts
from tests.same.twins import TWINS, Twin

from maestri.engines.sqlite.engine import SqliteEngine
from maestri.engines.statedir import StateDir
from maestri.kernel.events import Stored
from maestri.testing.play import RUN_ID


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.name)
def test_both_forms_write_the_same_journal(twin: Twin) -> None:
    yaml, python = (Playing(twin, form) for form in FORMS)
    assert yaml.play().output == python.play().output
    assert facts(yaml.events) == facts(python.events)


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.name)
def test_a_twin_succeeds_and_does_something(twin: Twin) -> None:
    playing = Playing(twin, "yaml")
    assert playing.play().status == "succeeded"
    assert len(playing.finished()) > 1


async def _on_sqlite(twin: Twin, form: Form, folder: Path) -> list[Stored]:
    state = StateDir(folder, {})
    state.prepare()
    playing = Playing(twin, form, SqliteEngine(state))
    await (await playing.start()).wait()
    events = list(playing.engine.read(RUN_ID).events())
    await playing.engine.close()
    return events


@pytest.mark.parametrize("twin", [TWINS[0], TWINS[6]], ids=lambda twin: twin.name)
def test_they_do_so_on_sqlite_too(twin: Twin, tmp_path: Path) -> None:
    journals = [asyncio.run(_on_sqlite(twin, form, tmp_path / form)) for form in FORMS]
    in_memory = Playing(twin, "python")
    in_memory.play()
    assert facts(journals[0]) == facts(journals[1]) == facts(in_memory.events)
