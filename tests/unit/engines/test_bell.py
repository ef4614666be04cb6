"""Who executes thousands of runs hears of a message without looking at each of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from maestri.engines.sqlite import bell, mailbox
from maestri.engines.statedir import StateDir
from maestri.kernel.ports import Message


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """Give a state directory."""
    found = StateDir(tmp_path / "state")
    found.prepare()
    return found


async def _heard(state: StateDir, runs: int, post: str) -> list[str]:
    """Listen for many runs while one is sent a message by somebody else; return who was called."""
    ring = bell.Bell(state, 0.001)
    called: list[str] = []
    came = asyncio.Event()

    def listener(run_id: str) -> None:
        called.append(run_id)
        mailbox.remove(state, run_id, "m-1")
        came.set()

    for number in range(runs):
        ring.listen(f"r{number}", lambda run_id=f"r{number}": listener(run_id))  # type: ignore[misc]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    if post == "unheard":
        message = Message("m-1", "signal", {})
        mailbox.post(state, "r7", message)
        state.bell.write_bytes(b"x\n" * 50)  # as if it was begun anew and had grown again meanwhile
        ring._seen = 100
    else:
        mailbox.post(state, "r7", Message("m-1", "signal", {}))
    await asyncio.wait_for(came.wait(), 10)
    ring.close()
    return called


def test_only_those_who_were_named_are_looked_at(state: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    real = mailbox.may_have_mail

    def counted(state: StateDir, run_id: str) -> bool:
        looked.append(run_id)
        return real(state, run_id)

    monkeypatch.setattr(mailbox, "may_have_mail", counted)
    assert asyncio.run(_heard(state, 500, "posted")) == ["r7"]
    assert len(looked) < 500 + 100, "each once at its beginning, then the named one and a few in turn"


def test_a_name_that_the_bell_has_lost_is_found_in_turn(state: StateDir) -> None:
    assert asyncio.run(_heard(state, 20, "unheard")) == ["r7"]
