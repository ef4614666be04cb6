"""A process that owns a journal: `owner.py FOLDER RUN` commits steps for ever and says which are stored."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.engines.journals import born, done, opened


async def _own(folder: Path, run_id: str) -> None:
    async with opened(folder) as engine:
        journal = await born(engine, run_id)
        for index in range(1_000_000):
            await journal.commit(done(f"s{index}", "x" * (3000 if index == 1 else 10)))
            sys.stdout.write(f"{index}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_own(Path(sys.argv[1]), sys.argv[2]))
