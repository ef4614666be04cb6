"""The shipped engines keep every promise of the kit, each check alone and all on one store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from maestri.engines.memory import MemoryEngine
from maestri.engines.sqlite.engine import SqliteEngine
from maestri.engines.statedir import StateDir
from maestri.kernel.ports import Engine
from maestri.testing.check_engine import ENGINE_CHECKS, Check, MakeEngine, check_engine


def _memory(_: Path) -> MakeEngine:
    kept = MemoryEngine()

    @asynccontextmanager
    async def make() -> AsyncIterator[Engine]:
        yield kept
        await kept.close()

    return make


def _sqlite(folder: Path) -> MakeEngine:
    @asynccontextmanager
    async def make() -> AsyncIterator[Engine]:
        engine = SqliteEngine(StateDir(folder / "state"), bell_s=0.01)
        yield engine
        await engine.close()

    return make


@pytest.mark.parametrize("check", ENGINE_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", [_memory, _sqlite])
def test_engine_keeps_the_promise(kind: Callable[[Path], MakeEngine], check: Check, tmp_path: Path) -> None:
    asyncio.run(check(kind(tmp_path)))


@pytest.mark.parametrize("kind", [_memory, _sqlite])
def test_all_checks_pass_on_one_store(kind: Callable[[Path], MakeEngine], tmp_path: Path) -> None:
    asyncio.run(check_engine(kind(tmp_path)))
