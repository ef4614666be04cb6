"""`Context`: what a body sees. Every verb is *once(path, command)*: known already, or done and journaled.

Rule 1: a context belongs to one asyncio task; concurrent children get a scope each (`kernel/fan.py`).
Rule 2: names are claimed in the order of the calls, counted per scope; nothing else makes a path.
Rule 3: a step's result is handed on only when it is stored; a seal rides with the next commit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from zlib import crc32

from maestri.errors import EngineError, ReplayError, RunError, ValueRefused, to_failure
from maestri.kernel import attempts, closing, codec, requests, waiting
from maestri.kernel import events as ev
from maestri.kernel.body import Body, OneStep, Opening
from maestri.kernel.events import Event, Stored
from maestri.kernel.naming import Naming
from maestri.kernel.past import Past, check_past, last_ended, read_past, replay_scope, replay_step
from maestri.kernel.path import join
from maestri.kernel.policy import DEFAULT, Policy
from maestri.kernel.ports import Task
from maestri.kernel.typed import build
from maestri.values import Json

if TYPE_CHECKING:
    from maestri.kernel.run import RunCore

T = TypeVar("T")
_PLAIN = Opening()  # nothing was said of the next scope
_DIGEST_MASK = (1 << 64) - 1


class Context:
    """One scope of a run, in the hands of the asyncio task that executes it."""

    __slots__ = (
        "_digest",
        "_failed",
        "_is_loop",
        "_naming",
        "_past",
        "_prepared",
        "_run",
        "names",
        "path",
        "remark",
        "taken_back",
    )

    def __init__(
        self, run: RunCore, path: str, *, past: Past | None = None, place: str | None = None
    ) -> None:
        """Made by the kernel. `place` is a segment claimed beforehand, for a child that is one step."""
        self._run = run
        self.path = path
        self._past = past
        self._naming = Naming(path, place)
        self._digest = 0
        self._failed = 0
        self._is_loop = False
        self._prepared = _PLAIN
        self.names: Any = None  # what expressions see in this scope; the language's own business
        self.remark: Json = None  # what a pattern wants to find in this scope's seal
        self.taken_back: Stored | None = None  # how this scope failed, if it was reopened since

    @property
    def core(self) -> RunCore:
        """The run that this scope belongs to."""
        return self._run

    @property
    def digest(self) -> str:
        """What the steps of this scope asked for so far, folded to 64 bits, in hexadecimal."""
        return f"{self._digest:016x}"

    @property
    def folded(self) -> int:
        """The digest as a number."""
        return self._digest

    @property
    def failed(self) -> int:
        """How many steps have failed in this scope and below."""
        return self._failed

    # --- names --------------------------------------------------------------------------------------

    def _claim(self, name: str) -> str:
        if self._run.has_stops:
            self._run.check_stopped(self.path)
        return self._naming.take(name)

    def _claim_known(self, name: str) -> tuple[str, Stored | None]:
        """Return the segment of the next use of a name, and how it ended if that is on record."""
        segment = self._claim(name)
        known = self._past.take(segment) if self._past else None
        return segment, None if known is None else known.end

    def prepare(self, opening: Opening) -> None:
        """Say where the next scope is written and how long it may take; `scope` uses it up."""
        self._prepared = opening

    def claim(self, name: str, number: int | None = None) -> str:
        """Return the segment of the next use of a name, or of a certain one (an item's index, from 1)."""
        if number is None:
            return self._claim(name)
        return self._naming.take_number(name, number)

    def place(self, segment: str) -> Context:
        """Return a view of this scope whose next step is at a segment that `claim` has given."""
        return Context(self._run, self.path, past=self._past, place=segment)

    # --- steps --------------------------------------------------------------------------------------

    async def perform(self, name: str, task: Task) -> Any:
        """Have a task done, once: the recorded output if there is one, else an agent's.

        Raises:
            RunError: The step failed, now or on record.
            StepChanged: The journal has another request at this place.
        """
        segment = self._claim(name)
        try:
            digest = codec.digest([task.agent, task.request, requests.type_name(task.returns)])
        except ValueRefused as error:
            await self._refuse(segment, error)
        self._count(segment, digest)
        known = self._past.take(segment) if self._past else None
        try:
            if known is not None and known.end is not None:
                value = replay_step(self._run, known.end, digest, task)
            else:
                value = await attempts.perform(self._run, self.path, segment, task, digest, known)
        except RunError as error:
            self._failed += 1
            error.origins = error.origins or (join(self.path, segment),)
            raise
        return value if task.returns is None else build(task.returns, value)

    def run(
        self, name: str, command: str | list[str], *, policy: Policy = DEFAULT, **options: Any
    ) -> Coroutine[Any, Any, Any]:
        """Run a command: a text for the shell, or a list of arguments.

        Args:
            name: The step's name.
            command: What to run; nothing is ever substituted in it.
            policy: Retry and time limits.
            options: `env`, `stdin`, `cwd`, `output` (text, json, jsonl, lines, result) and `ok` (exit codes).
        """
        return self.perform(name, requests.command(command, options, policy))

    def call(
        self,
        name: str,
        function: str | Callable[..., Any],
        /,
        *args: Any,
        policy: Policy = DEFAULT,
        returns: type | None = None,
        **kwargs: Any,
    ) -> Coroutine[Any, Any, Any]:
        """Call a function, sync or async: the callable itself or `module:function`."""
        return self.perform(name, requests.call(function, args, kwargs, policy, returns))

    def agent(
        self,
        name: str,
        prompt: str,
        *,
        by: str,
        returns: type | None = None,
        policy: Policy = DEFAULT,
        **options: Any,
    ) -> Coroutine[Any, Any, Any]:
        """Ask an agent by its name."""
        return self.perform(name, Task(by, {"prompt": prompt, **options}, policy, None, returns))

    def step(
        self, name: str, function: Callable[..., Any], /, *args: Any, policy: Policy = DEFAULT, **kwargs: Any
    ) -> Coroutine[Any, Any, Any]:
        """Call a function of this process as a step; its output is journaled."""
        return self.call(name, function, *args, policy=policy, **kwargs)

    async def skip(self, name: str, reason: str = "when", because: str = "") -> None:
        """Record that a step is not done: `when` did not hold, or what it needs has failed."""
        segment, known = self._claim_known(name)
        if known is None:
            body = codec.encode({"reason": reason, **({"because": because} if because else {})})
            self._append(ev.SKIPPED, segment, body)

    async def refuse(self, name: str, error: RunError) -> NoReturn:
        """Record that a step could not even be asked for, and raise why.

        Raises:
            RunError: Always.
        """
        await self._refuse(self._claim(name), error)

    async def _refuse(self, segment: str, error: RunError) -> NoReturn:
        known = self._past.take(segment) if self._past else None
        error.path = join(self.path, segment)
        error.origins = (error.path,)
        error.run = self._run.info.name
        self._failed += 1
        if known is None or known.end is None:
            body = codec.encode({"failure": to_failure(error).as_json()})
            await attempts.store_failure(self._run, self._event(ev.FAILED, segment, body))
        raise error

    # --- values that must be the same on replay -----------------------------------------------------

    async def decide(self, name: str, make: Callable[[], Any], *, stored: bool = False) -> Any:
        """Return a value that is made once and journaled; with `stored`, only when it is on disk.

        A value rides with the next commit, which is enough for all that is journaled after it. What acts
        on the outside world at once (cancelling the losers of a race) asks for `stored`.
        """
        segment, known = self._claim_known(name)
        if known is not None:
            return known.body.get("value")
        text, value = codec.settle(make())
        if stored:
            await self._run.journal.commit(self._event(ev.DECIDED, segment, f'{{"value":{text}}}'))
        else:
            self._append(ev.DECIDED, segment, f'{{"value":{text}}}')
        return value

    async def now(self, name: str = "now") -> float:
        """Return the time in seconds since 1970, the same on replay."""
        value: float = await self.decide(name, self._run.clock.now)
        return value

    async def random(self, name: str = "random") -> float:
        """Return a number from 0 to 1, the same on replay."""
        value: float = await self.decide(name, self._run.random.random)
        return value

    async def sleep(self, delay_s: float, name: str = "sleep") -> None:
        """Wait until a time that is journaled, so that a resume waits for the rest only."""
        await waiting.sleep(self._run, self.path, *self._claim_known(name), delay_s)

    async def signal(self, name: str, signal: str | None = None) -> Any:
        """Wait for a signal from outside and return its data; `signal` is its name, if not the step's."""
        wanted = signal or name
        what = waiting.Awaited(f"signal:{wanted}", f"signal `{wanted}`")
        return await waiting.word(self._run, self.path, *self._claim_known(name), what)

    async def ask(self, name: str, question: str, options: list[str] | None = None) -> Any:
        """Ask a person and return the answer, one of `options` where there are any."""
        segment, known = self._claim_known(name)
        fields = {"question": question, **({"options": options} if options else {})}
        what = waiting.Awaited(f"answer:{join(self.path, segment)}", f"an answer: {question}", fields)
        return await waiting.word(self._run, self.path, segment, known, what)

    def notice(self, text: str) -> None:
        """Show passing progress; it is not journaled."""
        self._run.attempt(self.path, 1, _nothing).notice("progress", text)

    # --- scopes -------------------------------------------------------------------------------------

    async def scope(self, name: str, body: Body[T], *, pattern: str = "", total: int | None = None) -> T:
        """Run a body in a scope of its own and seal it: later, its one record stands for all below.

        Args:
            name: The scope's name.
            body: What to run. A `OneStep` takes the scope's place.
            pattern: The keyword of the pattern that opens it, for those who look.
            total: How many children are expected, for a progress bar.
        """
        segment = self._claim(name)
        opening, self._prepared = self._prepared, _PLAIN
        if isinstance(body, OneStep):
            return await self._enter_place(segment, body)
        self._naming.inner = segment
        try:
            return await self.enter(segment, body, pattern=pattern, total=total, opening=opening)
        finally:
            self._naming.inner = None

    def enter_body(self, segment: str, body: Body[T]) -> Coroutine[Any, Any, T]:
        """Run a body at a claimed segment: in a scope there, or as the one step there."""
        if isinstance(body, OneStep):
            return self._enter_place(segment, body)
        return self.enter(segment, body)

    async def _enter_place(self, segment: str, body: OneStep[T]) -> T:
        place = self.place(segment)
        try:
            return await body.call(place)
        except (EngineError, ReplayError):
            raise
        except Exception as error:
            if isinstance(error, RunError) and error.origins:
                raise
            await place.reject(error)  # the body's own code raised
        finally:
            self._failed += place.failed
            self._digest = (self._digest + place.folded) & _DIGEST_MASK

    async def enter(
        self,
        segment: str,
        body: Callable[[Context], Awaitable[T]],
        *,
        pattern: str = "",
        total: int | None = None,
        opening: Opening = _PLAIN,
    ) -> T:
        """Run a body in the scope at a claimed segment; what `scope` does after the claim."""
        run = self._run
        known = self._past.take(segment) if self._past else None
        if known is not None and known.end is not None:
            self._failed += known.end.body.get("failed", 0)
            self._count(segment, known.end.digest or "0")
            return replay_scope(known.end, body)  # type: ignore[no-any-return]
        path = join(self.path, segment)
        past = await read_past(run, path) if run.is_resumed else None
        child = Context(run, path, past=past)
        child.taken_back = None if known is None else known.taken_back
        if pattern:
            self._append(ev.OPENED, segment, codec.encode(requests.opening(pattern, total, opening.source)))
        try:
            return await closing.close(run, child, body, segment, opening.timeout_s)
        finally:
            self._failed += child.failed
            self._count(segment, child.digest)

    async def reject(self, error: Exception) -> NoReturn:
        """End a place at which something was raised: a failed step, unless its step has ended already.

        Raises:
            RunError: Always.
        """
        found = closing.as_run_error(error, join(self.path, self._naming.segment))
        if not self._naming.is_used_up:
            await self._refuse(self._claim(""), found)
        self._failed += 1
        raise found

    async def child(
        self,
        name: str,
        workflow: Callable[[Context, Mapping[str, Any]], Awaitable[T]],
        inputs: Mapping[str, Any],
    ) -> T:
        """Run another workflow in a scope of its own."""
        return await self.scope(name, lambda scope: workflow(scope, inputs), pattern="workflow")

    def recorded(self, name: str) -> Any:
        """Return a value that `decide` has journaled in this scope, or None; nothing is claimed."""
        known = self._past.look(name) if self._past else None
        return known.body.get("value") if known is not None and known.kind == ev.DECIDED else None

    async def last_ended(self) -> Stored | None:
        """Return the last child of this scope that ended, for a loop that goes on where it was.

        The children before it are not read. So the scope takes its last child's digest for its own: it is the
        same then whether or not the loop was ever interrupted.
        """
        self._past, self._is_loop = None, True
        if (last := await last_ended(self._run, self.path)) is not None:
            self._count(last.name, last.digest or "0")
        return last

    async def begun(self) -> float:
        """Return when this scope was begun, in seconds since 1970; begun anew once it has been reopened."""
        known = self._past.look("begun") if self._past else None
        if self._past and known is not None and known.seq < self._run.reopened.get(self.path, 0):
            self._past.take("begun")
        return await self.now("begun")

    def forget(self, keep: str = "") -> None:
        """Forget what is on record here and was not asked for: an early end was decided without it.

        What bears the name `keep` is still to be asked for.
        """
        if self._past:
            self._past.forget(keep)

    def add_failures(self, count: int) -> None:
        """Count failures that no step here stands for: the scope's own, or those of rounds not read."""
        self._failed += count

    def check_past(self) -> None:
        """Refuse when the journal has ended steps here that the body did not ask for.

        Raises:
            StepVanished: Names the first of them.
        """
        check_past(self._run, self._past, self.path)

    # --- journal ------------------------------------------------------------------------------------

    def _event(self, kind: int, segment: str, body: str, digest: str = "") -> Event:
        return Event(kind, self.path, segment, self._run.clock.now(), digest, body)

    def _append(self, kind: int, segment: str, body: str) -> None:
        self._run.journal.append(self._event(kind, segment, body))

    def _count(self, segment: str, digest: str) -> None:
        """Fold what a child asked for into this scope's digest; the order of the children plays no part."""
        before = 0 if self._is_loop else self._digest
        self._digest = (before + int(digest, 16) + crc32(segment.encode())) & _DIGEST_MASK


def _nothing() -> None:
    pass
