"""The conformance kit of the `Agent` port: what every agent must do, whatever performs its tasks."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from maestri.errors import MaestriError, RunError, from_failure, to_failure
from maestri.kernel import codec
from maestri.kernel.ports import Agent, Answer, Attempt, Task
from maestri.records import NamedTuple
from maestri.values import ArtifactRef

START_S: Final = 0.3  # what a task that hangs gets to begin
PROMPT_S: Final = 15.0  # a cancel may take a grace period, but it must come to an end
AT_ONCE: Final = 8


class Witness:
    """An `Attempt` and what an agent did with it."""

    def __init__(self, folder: Path, path: str = "/step") -> None:
        """Begin; `folder` is where the agent works and where artifacts are kept."""
        self.logged = bytearray()
        self.beats = 0
        self.notices: list[tuple[str, str]] = []
        self.kept: dict[str, Path] = {}
        self._folder = folder
        run = f"check-{folder.name}"
        key = f"{run}{path}/1"
        self.attempt = Attempt(
            run, path, 1, key, str(folder), self._log, self._beat, self._notice, self._keep
        )

    def _log(self, data: bytes, stream: str = "") -> None:
        self.logged += data

    def _beat(self) -> None:
        self.beats += 1

    def _notice(self, kind: str, text: str) -> None:
        self.notices.append((kind, text))

    def _keep(self, path: str, name: str) -> ArtifactRef:
        content = Path(path).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        self.kept[digest] = self._folder / digest
        self.kept[digest].write_bytes(content)
        return ArtifactRef(digest, len(content), name)

    def processes(self) -> list[int]:
        """Return the processes that have the idempotency key of this attempt in their environment.

        Only Linux can tell; elsewhere nothing is found.
        """
        marker = b"MAESTRI_KEY=" + self.attempt.key.encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if marker in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
            except OSError:  # ended meanwhile, or somebody else's
                continue
        return found


class _Case(NamedTuple):
    make: Callable[[], Agent]
    ok: Task
    fails: Task
    hangs: Task
    folder: Path


async def check_agent(make: Callable[[], Agent], ok: Task, fails: Task, hangs: Task) -> None:
    """Check that an agent keeps the promises of the port.

    Args:
        make: Returns a new agent; called several times.
        ok: A task that succeeds, and may be performed several times at once.
        fails: A task that fails.
        hangs: A task that does not end for a minute or more.

    Raises:
        AssertionError: A promise is broken; the text says which and how.
    """
    for check in (_answers, _fails, _is_cancelled, _works_at_once, _closes_twice):
        with tempfile.TemporaryDirectory(prefix="check-agent-") as folder:
            await check(_Case(make, ok, fails, hangs, Path(folder)))


def _require(holds: object, text: str) -> None:
    if not holds:
        raise AssertionError(text)


async def _perform(agent: Agent, task: Task, witness: Witness) -> Answer:
    try:
        answer = await agent.perform(task, witness.attempt)
    except MaestriError as error:
        message = f"the task that should succeed failed: {error.diagnostic.text()}"
        raise AssertionError(message) from error
    _require(isinstance(answer, Answer), f"`perform` returned {answer!r}, not an Answer")
    return answer


async def _answers(case: _Case) -> None:
    agent, witness = case.make(), Witness(case.folder)
    try:
        answer = await _perform(agent, case.ok, witness)
    finally:
        await agent.close()
    try:
        _, settled = codec.settle(answer.value)
    except MaestriError as error:
        message = f"the value {answer.value!r} does not survive JSON"
        raise AssertionError(message) from error
    _require(settled == answer.value, f"{answer.value!r} comes back from JSON as {settled!r}")
    _require(witness.beats or not witness.logged, "the agent logged output without calling `beat`")
    for artifact in answer.artifacts:
        _require(artifact.digest in witness.kept, f"the artifact {artifact.name} was not kept")
    _require(not witness.processes(), f"an answered task left processes: {witness.processes()}")


async def _fails(case: _Case) -> None:
    agent, witness = case.make(), Witness(case.folder)
    try:
        await agent.perform(case.fails, witness.attempt)
    except RunError as error:
        _check_error(error)
    except Exception as error:
        message = f"a failure must be a RunError, not {type(error).__name__}: {error}"
        raise AssertionError(message) from error
    else:
        message = "the task that should fail succeeded"
        raise AssertionError(message)
    finally:
        await agent.close()
    _require(not witness.processes(), f"a failed task left processes: {witness.processes()}")


def _check_error(error: RunError) -> None:
    _require(error.message.strip(), f"{type(error).__name__} has no message")
    failure = to_failure(error)
    again = from_failure(failure)
    same = type(again) is type(error) and again.message == error.message
    _require(same, f"{type(error).__name__} comes back from the journal as {again!r}")
    codec.encode(failure.as_json())


async def _is_cancelled(case: _Case) -> None:
    agent, witness = case.make(), Witness(case.folder)
    work = asyncio.ensure_future(agent.perform(case.hangs, witness.attempt))
    try:
        await asyncio.wait([work], timeout=START_S)
        _require(not work.done(), "the task that should hang has ended")
        work.cancel()
        await asyncio.wait([work], timeout=PROMPT_S)
        _require(work.done(), f"a cancelled task still runs after {PROMPT_S:g} s")
        _require(work.cancelled(), "a cancelled task must end with CancelledError")
        _require(not witness.processes(), f"a cancelled task left processes: {witness.processes()}")
    finally:
        await agent.close()


async def _works_at_once(case: _Case) -> None:
    agent = case.make()
    witnesses = [Witness(case.folder, f"/step#{n}") for n in range(2, AT_ONCE + 2)]
    try:
        await asyncio.gather(*(_perform(agent, case.ok, witness) for witness in witnesses))
    finally:
        await agent.close()


async def _closes_twice(case: _Case) -> None:
    agent = case.make()
    await agent.close()
    await agent.close()
