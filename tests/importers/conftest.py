from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAESTRI_STATE", str(tmp_path.with_name(f"{tmp_path.name}-state")))
    monkeypatch.delenv("MAESTRI_DEFAULT_AGENT", raising=False)
