"""What a command may know of its surroundings."""

from __future__ import annotations

import sys

import pytest

from maestri.agents.environment import surroundings, with_own_programs


def test_only_what_is_allowed_passes() -> None:
    outer = {
        "HOME": "/h",
        "LC_ALL": "C",
        "API_KEY": "x",
        "LD_PRELOAD": "x",
        "PYTHONPATH": "x",
        "PATH": "/bin",
    }
    assert set(surroundings(outer)) == {"HOME", "LC_ALL", "PATH"}


def test_there_is_always_a_path() -> None:
    assert "/usr/bin" in surroundings({})["PATH"]


def test_the_own_environment_comes_last_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", "/venv")
    assert with_own_programs("/bin") == "/bin:/venv/bin"
    assert with_own_programs("/venv/bin:/bin") == "/venv/bin:/bin"


def test_an_installation_of_the_system_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    assert with_own_programs("/bin") == "/bin"
