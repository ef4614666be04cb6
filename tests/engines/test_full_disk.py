"""A disk without room: nothing is acknowledged, nothing is lost, and work goes on by itself."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engines.journals import born, done, opened, stored

from maestri.engines.sqlite.engine import SqliteEngine
from maestri.engines.sqlite.schema import connect_writer
from maestri.errors import EngineError


class _Limited:
    """Opens writing connections that SQLite itself keeps below a size, until `lift`."""

    def __init__(self) -> None:
        self._db: sqlite3.Connection | None = None
        self.said: list[str] = []

    def connect(self, file: Path) -> sqlite3.Connection:
        connect_writer(file).close()
        self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._db.execute("pragma max_page_count = 30")
        return self._db

    def lift(self) -> None:
        assert self._db is not None
        self._db.execute("pragma max_page_count = 100000")

    def settings(self) -> dict[str, Any]:
        return {
            "connect": self.connect,
            "retry_s": 0.01,
            "on_pause": lambda diagnostic: self.said.append(diagnostic.text()),
            "on_resume": lambda: self.said.append("resumed"),
        }


async def _until(what: str, events: list[str], count: int) -> None:
    for _ in range(500):
        if len(events) >= count:
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"never came: {what}")


def _incompressible(size_bytes: int) -> list[str]:
    return [os.urandom(250).hex() for _ in range(size_bytes // 500)]


def test_full_disk_pauses_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    limited = _Limited()

    async def scenario() -> None:
        async with opened(tmp_path / "state", **limited.settings()) as engine:
            journal = await born(engine, "r")
            waiter = asyncio.ensure_future(journal.commit(done("big", _incompressible(300_000))))
            await _until("pause", limited.said, 1)
            await asyncio.sleep(0.05)
            assert not waiter.done()
            assert not (tmp_path / "state/reserve").exists()
            limited.lift()
            await waiter
            await _until("resume", limited.said, 2)
            await journal.commit(done("after"))
            assert stored(engine, "r") == ["big", "after"]

    asyncio.run(scenario())
    assert "no room left" in limited.said[0]
    assert limited.said[1:] == ["resumed"]
    assert (tmp_path / "state/reserve").exists()


def test_closing_on_a_full_disk_tells_who_waits(tmp_path: Path) -> None:
    limited = _Limited()

    async def scenario() -> None:
        async with opened(tmp_path / "state", **limited.settings()) as engine:
            journal = await born(engine, "r")
            waiter = asyncio.ensure_future(journal.commit(done("big", _incompressible(300_000))))
            await asyncio.sleep(0.05)
        with pytest.raises(EngineError, match="full"):
            await waiter

    asyncio.run(scenario())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a real file system of 20 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20m,mode=700", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


async def _fill_up(engine: SqliteEngine, ballast: Path, said: list[str]) -> None:
    journal = await born(engine, "r")
    _fill(ballast)
    waiters = [
        asyncio.ensure_future(journal.commit(done(f"s{n}", _incompressible(500_000)))) for n in range(4)
    ]
    await _until("pause", said, 1)
    assert not any(waiter.done() for waiter in waiters)
    os.unlink(ballast)  # noqa: PTH108 - short, and on the loop on purpose
    await asyncio.gather(*waiters)
    assert engine.verify("r") == []
    assert len(stored(engine, "r")) == 4


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            return


def test_real_full_disk_loses_nothing(small_disk: Path) -> None:
    said: list[str] = []

    async def scenario() -> None:
        async with opened(
            small_disk / "state", retry_s=0.01, on_pause=lambda diagnostic: said.append(diagnostic.message)
        ) as engine:
            await _fill_up(engine, small_disk / "ballast", said)

    asyncio.run(scenario())
    assert len(said) == 1
