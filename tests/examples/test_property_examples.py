"""The examples of properties give what they promise, on real files and with real commands."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import maestri
from maestri.project import Project

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "properties"
OUTPUTS: dict[str, Any] = {
    "delivery": "1+2+3",
    "verdict": {"approved": True, "said": "scored 8"},
    "cached": 3,
    "reports": 2,
    "urgent": ["rescue", "build", "tidy", "soon", "late"],
}


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRI_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def test_every_example_is_played() -> None:
    assert {file.stem for file in EXAMPLES.glob("*.yaml")} == set(OUTPUTS)


@pytest.mark.parametrize("name", OUTPUTS)
def test_it_gives_what_it_promises(name: str) -> None:
    assert asyncio.run(maestri.run(str(EXAMPLES / f"{name}.yaml"))) == OUTPUTS[name]


def test_what_is_kept_is_not_done_again_until_its_files_change() -> None:
    file = str(EXAMPLES / "cached.yaml")
    for _ in range(2):
        assert asyncio.run(maestri.run(file)) == 3
    assert Path("counted.log").read_text() == "once\n"
    (entry,) = Project().cache.entries()
    assert (entry.path, entry.value) == ("/count/keep", 3)
    assert Project().cache.remove() == 1
    assert asyncio.run(maestri.run(file)) == 3
    assert Path("counted.log").read_text() == "once\nonce\n"
