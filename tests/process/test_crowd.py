"""Three hundred commands at once: what they cost Maestri, and that nothing of them piles up."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from maestri.agents.command import Exit
from maestri.agents.process import Processes

if TYPE_CHECKING:
    from tests.process.conftest import Bench

N = 300
OWN_KB = 120_000  # of the guardian and the keepers together; with Maestri itself it is to stay below 150 MB
# Each leaves an orphan that ends at once, so that it has to be collected while the command still runs.
COMMAND = "(setsid true &); echo up; read line < gate || true"


class Crowd(NamedTuple):
    """What was seen while the commands ran, and how they ended."""

    threads: int
    memory_kb: int
    keepers: Sequence[int]
    exits: Sequence[Exit]


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _is_zombie(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def _memory_kb(pid: int) -> int:
    """Return the memory of a process, its share of what it has together with others."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


async def _seen(bench: Bench, processes: Processes) -> Crowd:
    before = threading.active_count()
    gate = bench.folder / "gate"
    os.mkfifo(gate)
    runs = [asyncio.ensure_future(bench.run(processes, "/bin/sh", "-c", COMMAND)) for _ in range(N)]
    await bench.until(lambda: bench.stdout.count(b"up") == N)
    guardian = processes.guardian_pid or 0
    keepers = _children(guardian)
    await bench.until(lambda: not any(_is_zombie(child) for one in keepers for child in _children(one)))
    threads = threading.active_count() - before
    memory_kb = sum(_memory_kb(pid) for pid in (guardian, *keepers))
    with gate.open("w"):  # all readers see the end of the pipe
        await asyncio.sleep(0.1)
    return Crowd(threads, memory_kb, keepers, await asyncio.gather(*runs))


@pytest.fixture(scope="module")
def crowd(new_bench: type[Bench], tmp_path_factory: pytest.TempPathFactory) -> Crowd:
    bench = new_bench(tmp_path_factory.mktemp("crowd"))
    return bench.with_processes(lambda processes: _seen(bench, processes))


def test_all_come_to_their_end(crowd: Crowd) -> None:
    assert set(crowd.exits) == {Exit(0, None)}


def test_they_take_no_thread(crowd: Crowd) -> None:
    assert crowd.threads == 0


def test_each_has_a_keeper_that_costs_little_memory(crowd: Crowd) -> None:
    assert len(crowd.keepers) == N
    assert crowd.memory_kb < OWN_KB


LIMITED = """
import asyncio, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, int(sys.argv[1])))
from maestri.agents.process import Processes
from maestri.errors import StepFailed

async def main():
    processes = Processes()

    async def run(script="echo up; sleep 0.5"):
        try:
            await processes.run(["/bin/sh", "-c", script], env={}, cwd="/", stdin=None,
                                on_stdout=lambda data: print(data.decode().strip()), on_stderr=print)
        except StepFailed as error:
            print(error.message, "|", error.fix)

    await asyncio.gather(*(run() for _ in range(40)))
    await run("echo after")
    await processes.close()

asyncio.run(main())
"""


@pytest.mark.parametrize(("limit", "begun"), [(2048, 40), (64, 0)])
def test_the_limit_of_open_files_is_raised_or_the_refusal_says_so(
    bench: Bench, limit: int, begun: int
) -> None:
    run = bench.with_processes(
        lambda processes: bench.run(processes, sys.executable, "-c", LIMITED, str(limit))
    )
    said = bench.stdout.decode().splitlines()
    refused = [line for line in said if "cannot be started now: Too many open files" in line]
    assert (run, said.count("up") + len(refused), said[-1]) == (Exit(0, None), 40, "after"), bench.stderr
    assert (said.count("up") >= begun, bool(refused)) == (True, begun == 0)
    assert all("ulimit -n" in line for line in refused)
