"""Commands as they run: streams, exits and refusals."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from maestri.agents.command import Exit
from maestri.agents.process import Processes
from maestri.agents.shell import ShellAgent
from maestri.errors import AgentUnavailable, InputInvalid, StepFailed
from maestri.kernel.ports import Answer, Task
from maestri.testing.check_agent import Witness
from maestri.values import ArtifactRef

if TYPE_CHECKING:
    from tests.process.conftest import Bench, Own


def test_output_and_errors_come_apart(bench: Bench) -> None:
    assert bench.sh("echo out; echo err >&2") == Exit(0, None)
    assert (bytes(bench.stdout), bytes(bench.stderr)) == (b"out\n", b"err\n")


def test_an_exit_code_comes_back(bench: Bench) -> None:
    assert bench.sh("exit 3") == Exit(3, None)


def test_a_signal_comes_back(bench: Bench) -> None:
    assert bench.sh("kill -SEGV $$") == Exit(None, 11)


def test_standard_input_is_empty_unless_given(bench: Bench) -> None:
    assert bench.sh("cat") == Exit(0, None)
    assert bench.stdout == b""


def test_a_large_standard_input_arrives_whole(bench: Bench) -> None:
    data = os.urandom(3_000_000)
    bench.sh("cat", stdin=data)
    assert bench.stdout == data


def test_a_command_need_not_read_its_standard_input(bench: Bench) -> None:
    assert bench.sh("exec true", stdin=b"x" * 3_000_000) == Exit(0, None)


def test_a_command_sees_its_environment_alone(bench: Bench) -> None:
    bench.sh("exec env")
    names = {line.split("=")[0] for line in bench.stdout.decode().splitlines()}
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == {"PATH", "MARKER"}


def test_a_command_has_no_descriptors_but_three(bench: Bench) -> None:
    bench.sh("ls /proc/self/fd")
    assert bench.stdout.split() == [b"0", b"1", b"2", b"3"]  # the third is the listing itself


def test_a_command_leads_its_own_session(bench: Bench) -> None:
    bench.sh("cut -d' ' -f6 /proc/$$/stat; echo $$")
    session, leader = bench.stdout.split()
    assert session == leader


def test_a_command_has_default_signals_and_an_empty_mask(bench: Bench) -> None:
    bench.sh("grep -E 'SigBlk|SigIgn' /proc/self/status")
    masks = [int(line.split()[1], 16) for line in bench.stdout.splitlines()]
    assert [mask & 0x7FFFFFFF for mask in masks] == [0, 0]  # the C library keeps 32 and 33 for itself


def test_a_command_gets_the_soft_limit_of_files_that_maestri_was_given(bench: Bench) -> None:
    script = (
        "import asyncio, resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, 2048))\n"
        "from maestri.agents.process import Processes\n"
        "async def main():\n"
        "    p = Processes()\n"
        "    await p.run(['/bin/sh', '-c', 'ulimit -Sn'], env={}, cwd='/', stdin=None,\n"
        "                on_stdout=lambda b: print(b.decode().strip()), on_stderr=print)\n"
        "    await p.close()\n"
        "    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])\n"
        "asyncio.run(main())\n"
    )

    async def work(processes: Processes) -> Any:
        return await bench.run(processes, sys.executable, "-c", script)

    assert bench.with_processes(work) == Exit(0, None), bench.stderr
    assert bench.stdout.split() == [b"256", b"2048"]


@pytest.mark.parametrize(
    ("argv", "error", "words"),
    [
        (["no-such-program"], AgentUnavailable, "command not found: no-such-program"),
        (["./no-such-program"], AgentUnavailable, "command not found"),
        (["/etc/passwd"], AgentUnavailable, "not executable"),
        (["echo", "a\0b"], InputInvalid, "NUL"),
        (["echo", "x" * 200_000], InputInvalid, "argument 1 has 200000 bytes"),
        (["echo", *["x" * 100_000] * 90], InputInvalid, "too large together"),
        ([], InputInvalid, "empty"),
    ],
)
def test_what_cannot_be_started_says_why(
    bench: Bench, argv: list[str], error: type[StepFailed], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        bench.with_processes(lambda processes: bench.run(processes, *argv))
    assert caught.value.fix


def test_a_missing_directory_says_so(bench: Bench) -> None:
    bench.folder = Path("/no/such/directory")
    with pytest.raises(InputInvalid, match="/no/such/directory"):
        bench.sh("true")


@pytest.mark.parametrize(
    ("text", "words"), [("echo hi", "`#!`"), ("#!/no/such/interpreter\n", "interpreter")]
)
def test_a_script_that_cannot_be_executed_says_why(bench: Bench, text: str, words: str) -> None:
    script = bench.folder / "script"
    script.write_text(text)
    script.chmod(0o755)
    with pytest.raises(AgentUnavailable) as caught:
        bench.with_processes(lambda processes: bench.run(processes, "./script"))
    assert words in caught.value.cause


def test_a_sink_that_fails_ends_the_command(bench: Bench) -> None:
    def full(_data: bytes) -> None:
        raise StepFailed("the disk is full")

    async def work(processes: Processes) -> None:
        await processes.run(
            ["yes"], env=bench.env, cwd="/", stdin=None, on_stdout=full, on_stderr=full, grace_s=0
        )

    with pytest.raises(StepFailed, match="disk is full"):
        bench.with_processes(work)
    assert bench.left() == []


def test_a_flood_costs_no_memory(bench: Bench, grown_kb: Callable[[], int]) -> None:
    witness = Witness(bench.folder)
    kept: list[int] = []

    def keep(path: str, name: str) -> ArtifactRef:
        kept.append(Path(path).stat().st_size)
        return ArtifactRef("digest", kept[-1], name)

    async def work(processes: Processes) -> Answer:
        agent = ShellAgent(processes, spill_dir=str(bench.folder))
        task = Task("shell", {"command": "yes | head -c 300000000"})
        attempt = witness.attempt._replace(keep=keep, log=lambda _data, _stream="": None)
        return await agent.perform(task, attempt)

    assert len(bench.with_processes(work).value) < 200_000
    assert kept == [300_000_000]
    assert grown_kb() < 15_000


def test_nothing_is_left_open(bench: Bench, own: type[Own]) -> None:
    before = own.now()
    for command in ("true", "exit 1", "sleep 100 >/dev/null 2>&1 &"):
        bench.sh(command)
    with pytest.raises(AgentUnavailable):
        bench.with_processes(lambda processes: bench.run(processes, "no-such-program"))
    assert own.now() == before


def test_close_ends_what_still_runs(bench: Bench) -> None:
    async def work(processes: Processes) -> Any:
        run = asyncio.ensure_future(bench.run(processes, "/bin/sh", "-c", "echo up; sleep 100"))
        await bench.until(lambda: bench.stdout)
        await processes.close()
        return await run

    assert bench.with_processes(work) == Exit(None, 9)
    assert bench.left() == []


def test_processes_can_be_closed_twice_and_without_use() -> None:
    async def work() -> None:
        processes = Processes()
        await processes.close()
        await processes.close()

    asyncio.run(work())


def test_a_process_group_runs_commands_too(bench: Bench, group: str) -> None:
    assert bench.sh("cat; echo err >&2; exit 4", stdin=b"in", contained_by=group) == Exit(4, None)
    assert (bytes(bench.stdout), bytes(bench.stderr)) == (b"in", b"err\n")
