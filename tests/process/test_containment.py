"""No process of a step outlives the step, a cancel, or Maestri: trees that try to get away."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from maestri.agents.command import Exit
from maestri.agents.process import GUARDIAN, Processes, containment
from maestri.errors import StepFailed

if TYPE_CHECKING:
    from tests.process.conftest import Bench

QUIET = ">/dev/null 2>&1 </dev/null"
DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 256)
        time.sleep(100)
    os._exit(0)
os.wait()
"""
ESCAPES = {
    "a child": f"sleep 100 {QUIET} & echo up",
    "a session of its own": f"setsid sleep 100 {QUIET} & echo up",
    "a daemon": f"{sys.executable} -c '{DAEMON}'; echo up",
    "a deaf child": f"(trap '' TERM INT HUP; while :; do sleep 100; done) {QUIET} & echo up",
    "a stopped child": f"(kill -STOP $(sh -c 'echo $PPID'); sleep 100) {QUIET} & echo up",
    "a tree that grows": f"(while :; do setsid sleep 100 & sleep 0.01; done) {QUIET} & echo up; sleep 0.1",
    "a child that holds the output": "sleep 100 & echo up",
    "a child that floods the output": "yes & echo up",
}
OWNER = """
import asyncio, os, sys
from maestri.agents.process import Processes

async def main() -> None:
    processes = Processes()
    run = lambda: processes.run(["/bin/sh", "-c", sys.argv[1]], env=dict(os.environ), cwd="/", stdin=None,
                                on_stdout=lambda data: os.write(1, data), on_stderr=lambda data: None)
    await asyncio.gather(run(), run())

asyncio.run(main())
"""


async def _until_up(bench: Bench) -> None:
    await bench.until(lambda: b"up" in bench.stdout)


def _guardian(processes: Processes) -> int:
    assert processes.guardian_pid is not None
    return processes.guardian_pid


def _until(holds: Callable[[], bool]) -> bool:
    """Wait until something holds; the limit is for a test that fails."""
    for _ in range(500):
        if holds():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("escape", ESCAPES)
def test_nothing_outlives_its_step(bench: Bench, escape: str) -> None:
    assert bench.sh(ESCAPES[escape]) == Exit(0, None)
    assert bench.stdout.startswith((b"up", b"y"))
    assert bench.left() == []


@pytest.mark.parametrize("escape", ESCAPES)
def test_nothing_outlives_a_cancel(bench: Bench, escape: str) -> None:
    async def work(processes: Processes) -> Any:
        command = ESCAPES[escape] + "; sleep 100"
        run = asyncio.ensure_future(bench.run(processes, "/bin/sh", "-c", command, grace_s=0.2))
        await _until_up(bench)
        run.cancel()
        await asyncio.wait([run])
        return run.cancelled(), bench.left()

    assert bench.with_processes(work) == (True, [])


WAYS_TO_DIE: dict[str, Callable[[int], None]] = {
    "killed with its group": lambda pid: os.killpg(pid, signal.SIGKILL),
    "killed alone": lambda pid: os.kill(pid, signal.SIGKILL),
    "terminated": lambda pid: os.kill(pid, signal.SIGTERM),
    "interrupted": lambda pid: os.kill(pid, signal.SIGINT),
}


@pytest.mark.parametrize("way", WAYS_TO_DIE)
@pytest.mark.parametrize("escape", ESCAPES)
def test_nothing_outlives_maestri(bench: Bench, escape: str, way: str) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, ESCAPES[escape] + "; sleep 100"],
        env=bench.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert owner.stdout is not None
    assert owner.stdout.read(2) in {b"up", b"y\n"}
    WAYS_TO_DIE[way](owner.pid)
    owner.communicate()
    assert _until(lambda: bench.left() == [])


def test_a_forked_child_of_maestri_does_not_hide_its_end(bench: Bench) -> None:
    script = OWNER.replace("lambda data: os.write(1, data)", "told")
    fork = "def told(data):\n    if os.fork() == 0:\n        signal.pause()\n    os.write(1, data)\n"
    owner = subprocess.Popen(
        [sys.executable, "-c", f"import os, signal\n{fork}\n{script}", "echo up; sleep 100"],
        env=bench.env,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert owner.stdout is not None
    assert owner.stdout.read(2) == b"up"
    os.kill(owner.pid, signal.SIGKILL)
    assert _until(lambda: b"sleep" not in bench.programs())
    os.killpg(owner.pid, signal.SIGKILL)  # the children that were forked are nobody's step
    owner.communicate()


def test_a_cancel_lets_a_command_clean_up(bench: Bench) -> None:
    async def work(processes: Processes) -> None:
        command = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done"
        run = asyncio.ensure_future(bench.run(processes, "/bin/sh", "-c", command, grace_s=10))
        await _until_up(bench)
        run.cancel()
        await asyncio.wait([run])

    bench.with_processes(work)
    assert b"bye" in bench.stdout


def test_a_second_cancel_does_not_wait_for_the_grace_period(bench: Bench) -> None:
    async def work(processes: Processes) -> Any:
        command = "trap '' TERM; echo up; while :; do sleep 1; done"
        run = asyncio.ensure_future(bench.run(processes, "/bin/sh", "-c", command, grace_s=1000))
        await _until_up(bench)
        for _ in range(2):
            run.cancel()
            await asyncio.sleep(0.05)
        await asyncio.wait([run])
        return run.cancelled(), bench.left()

    assert bench.with_processes(work) == (True, [])


def test_a_cancel_before_the_command_runs_leaves_nothing(bench: Bench) -> None:
    async def work(processes: Processes) -> Any:
        runs = [asyncio.ensure_future(bench.run(processes, "sleep", "100")) for _ in range(20)]
        for run in runs:
            await asyncio.sleep(0.001)
            run.cancel()
        await asyncio.wait(runs)
        return {run.cancelled() for run in runs}, bench.left()

    assert bench.with_processes(work) == ({True}, [])


def test_a_cancel_before_the_command_runs_does_not_wait_for_the_grace_period(bench: Bench) -> None:
    async def work(processes: Processes) -> Any:
        padding = [str(n) * 100_000 for n in range(9)]  # what takes a while to hand over
        argv = ("/bin/sh", "-c", "sleep 1000", *padding)
        await bench.run(processes, "true")
        runs = []
        for n in range(20):
            runs.append(asyncio.ensure_future(bench.run(processes, *argv, grace_s=1000)))
            await asyncio.sleep(n * 0.0005)
            runs[-1].cancel()
        async with asyncio.timeout(60):
            await asyncio.wait(runs)
        return {run.cancelled() for run in runs}, bench.left()

    assert bench.with_processes(work) == ({True}, [])


def test_a_cancel_during_a_flood_ends_it(bench: Bench) -> None:
    async def work(processes: Processes) -> Any:
        run = asyncio.ensure_future(bench.run(processes, "yes"))
        await bench.until(lambda: len(bench.stdout) > 1_000_000)
        run.cancel()
        await asyncio.wait([run])
        return run.cancelled(), bench.left()

    assert bench.with_processes(work) == (True, [])


def test_a_command_that_kills_its_keeper_fails_and_leaves_nothing(bench: Bench) -> None:
    escape = f"setsid sleep 100 {QUIET} & kill -9 $PPID; sleep 100"
    with pytest.raises(StepFailed, match="keeps this command was killed"):
        bench.sh(escape)
    assert bench.left() == []


def test_commands_outlive_a_killed_guardian_and_the_next_one_gets_a_new_one(bench: Bench) -> None:
    async def work(processes: Processes) -> Any:
        run = asyncio.ensure_future(
            bench.run(processes, "/bin/sh", "-c", "echo up; read line; exit 7", stdin=b"")
        )
        await _until_up(bench)
        first = _guardian(processes)
        os.kill(first, signal.SIGKILL)
        await asyncio.to_thread(os.waitid, os.P_PID, first, os.WEXITED | os.WNOWAIT)
        again = await bench.run(processes, "/bin/sh", "-c", "exit 8")
        return await run, again, processes.guardian_pid != first

    assert bench.with_processes(work) == (Exit(7, None), Exit(8, None), True)


def test_a_command_handed_to_a_guardian_that_dies_did_not_begin(bench: Bench) -> None:
    async def work(processes: Processes) -> None:
        await bench.run(processes, "true")
        os.kill(_guardian(processes), signal.SIGSTOP)
        run = asyncio.ensure_future(bench.run(processes, "/bin/sh", "-c", "echo up"))
        await asyncio.sleep(0.05)
        os.kill(_guardian(processes), signal.SIGKILL)
        await run

    with pytest.raises(StepFailed, match="before the command began"):
        bench.with_processes(work)
    assert bench.stdout == b""


def test_the_guardian_does_not_mind_the_signals_of_a_terminal(bench: Bench) -> None:
    async def work(processes: Processes) -> Any:
        await bench.run(processes, "true")
        guardian = _guardian(processes)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(guardian, number)
        await bench.run(processes, "true")
        return os.getsid(guardian) == guardian, processes.guardian_pid == guardian

    assert bench.with_processes(work) == (True, True)


def test_a_process_group_ends_with_its_step_and_its_cancel(bench: Bench, group: str) -> None:
    async def work(processes: Processes) -> None:
        command = "trap '' TERM; sleep 100 & echo up; sleep 100"
        run = asyncio.ensure_future(bench.run(processes, "/bin/sh", "-c", command, grace_s=0.1))
        await _until_up(bench)
        run.cancel()
        await asyncio.wait([run])

    bench.sh("sleep 100 >/dev/null 2>&1 &", contained_by=group)
    bench.with_processes(work, group)
    assert _until(lambda: bench.left() == [])


def test_linux_has_a_guardian() -> None:
    assert containment() == (GUARDIAN if sys.platform == "linux" else "process group")
