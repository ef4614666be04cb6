"""`Context`: what a body sees. Every verb is *once(path, command)*: known already, or done and journaled.

Rule: a step's result is handed on only when it is stored; a seal rides with the next commit.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from maestri.errors import EngineError, ReplayError, RunError, ValueRefused
from maestri.kernel import attempts, closing, codec, requests, waiting
from maestri.kernel import events as ev
from maestri.kernel.body import Body, OneStep, Opening
from maestri.kernel.events import Stored
from maestri.kernel.past import (
    DEPENDENCY,
    NOTHING,
    SKIP,
    VALUE,
    last_ended,
    read_past,
    replay_scope,
    replay_step,
)
from maestri.kernel.path import join
from maestri.kernel.policy import DEFAULT, Policy
from maestri.kernel.ports import Task
from maestri.kernel.scope import PLAIN
from maestri.kernel.step import Step, at_once
from maestri.kernel.talking import Talking
from maestri.kernel.typed import build

T = TypeVar("T")


class Context(Talking):
    """One scope of a run, in the hands of the asyncio task that executes it."""

    __slots__ = ()

    # These are verbs of a body like those below, and are shown with them.
    signal, ask, event, emit = Talking.signal, Talking.ask, Talking.event, Talking.emit

    # --- steps --------------------------------------------------------------------------------------

    async def perform(self, name: str, task: Task) -> Any:
        """Have a task done, once: the recorded output if there is one, else an agent's.

        Raises:
            RunError: The step failed, now or on record.
            StepChanged: The journal has another request at this place.
        """
        segment = self._claim(name)
        try:
            returns = None if task.returns is None else requests.type_name(task.returns)
            digest = codec.digest([task.agent, task.request, returns])
        except ValueRefused as error:
            return await self._refuse(segment, error, task.returns)
        self._count(segment, digest)
        known = self._past.take(segment)
        try:
            if known is not None and known.end is not None:
                value = replay_step(self._run, known.end, digest, task)
            else:
                step = Step(self._run, self.path, segment, task, digest, self._naming.owner)
                if known is None and (result := at_once(step)) is not None:
                    stored = self._run.journal.commit(result)
                    if self._hand_over is None:
                        await stored
                    else:
                        self._hand_over(stored)
                    return step.value
                value = await attempts.perform(step, known)
            return value if task.returns is None else build(task.returns, value)
        except RunError as error:
            self._failed += 1
            error.path = error.path or join(self.path, segment)
            error.origins = error.origins or (error.path,)
            raise

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
        task = Task(by, {"prompt": prompt, **options}, policy, None, returns, costs=True)
        return self.perform(name, task)

    def step(
        self, name: str, function: Callable[..., Any], /, *args: Any, policy: Policy = DEFAULT, **kwargs: Any
    ) -> Coroutine[Any, Any, Any]:
        """Call a function of this process as a step; its output is journaled."""
        return self.perform(name, requests.call(function, args, kwargs, policy))

    async def skip(self, name: str, reason: str = "when", because: str = "") -> None:
        """Record that a step is not done: `when` did not hold, or what it needs has failed.

        Raises:
            StepChanged: The journal has it as done.
        """
        segment, known = self._claim_known(name)
        if known is None:
            body = codec.encode({"reason": reason, **({"because": because} if because else {})})
            self._append(ev.SKIPPED, segment, body)
        elif (
            reason != DEPENDENCY
        ):  # what it needs may have failed after it was done: a person had that retried
            self._check(known, SKIP)

    # --- values that must be the same on replay -----------------------------------------------------

    async def decide(self, name: str, make: Callable[[], Any], *, stored: bool = False) -> Any:
        """Return a value that is made once and journaled; with `stored`, only when it is on disk.

        A value rides with the next commit, which is enough for all that is journaled after it. What acts
        on the outside world at once (cancelling the losers of a race) asks for `stored`.
        """
        segment, known = self._claim_known(name)
        if known is not None:
            self._check(known, VALUE)
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

    def notice(self, text: str) -> None:
        """Show passing progress; it is not journaled."""
        self._run.attempt(self.path, 1, _nothing).notice("progress", text)

    # --- scopes -------------------------------------------------------------------------------------

    async def scope(
        self,
        name: str,
        body: Body[T],
        *,
        pattern: str = "",
        total: int | None = None,
        of_rounds: bool = False,
    ) -> T:
        """Run a body in a scope of its own and seal it: later, its one record stands for all below.

        Args:
            name: The scope's name.
            body: What to run. A `OneStep` takes the scope's place.
            pattern: The keyword of the pattern that opens it, for those who look.
            total: How many children are expected, for a progress bar.
            of_rounds: Whether the body begins with `last_ended`, so that a resume need not read the rest.
        """
        segment = self._claim(name)
        opening, self._prepared = self._prepared, PLAIN
        if isinstance(body, OneStep):
            return await self.enter_place(segment, body)
        self._naming.inner = segment
        try:
            return await self.enter(
                segment, body, pattern=pattern, total=total, of_rounds=of_rounds, opening=opening
            )
        finally:
            self._naming.inner = None

    def enter_body(self, segment: str, body: Body[T]) -> Coroutine[Any, Any, T]:
        """Run a body at a claimed segment: in a scope there, or as the one step there."""
        if isinstance(body, OneStep):
            return self.enter_place(segment, body)
        return self.enter(segment, body)

    async def enter_place(
        self, segment: str, body: OneStep[T], hand_over: Callable[[Future[None]], None] | None = None
    ) -> T:
        """Run a body as the one step at a claimed segment.

        Args:
            segment: The place.
            body: What makes the step.
            hand_over: Takes over to wait until the record of the step is stored, where nothing else is left
                to do: the function did not wait, and the body is the call of a verb and nothing more.
        """
        place = Context(self._run, self.path, self._past, segment)
        try:
            done = body.call(place)
            if hand_over is not None and getattr(done, "cr_code", None) is _PERFORM:
                place._hand_over = hand_over
            return await done
        except (EngineError, ReplayError):
            raise
        except Exception as error:
            if isinstance(error, RunError) and error.origins:
                raise
            return await place.reject(error)  # type: ignore[no-any-return]  # the body's own code raised
        finally:
            self._take_in(place)

    async def enter(
        self,
        segment: str,
        body: Callable[[Context], Awaitable[T]],
        *,
        pattern: str = "",
        total: int | None = None,
        of_rounds: bool = False,
        opening: Opening = PLAIN,
    ) -> T:
        """Run a body in the scope at a claimed segment; what `scope` does after the claim."""
        run = self._run
        known = self._past.take(segment)
        if known is not None and known.end is not None:
            self._failed += known.end.body.get("failed", 0)
            self._count(segment, known.end.digest or "0")
            return replay_scope(run, known.end, body)  # type: ignore[no-any-return]
        path = join(self.path, segment)
        past = await read_past(run, path) if run.is_resumed and not of_rounds else NOTHING
        child = Context(run, path, past)
        child.taken_back = None if known is None else known.taken_back
        if pattern:
            self._append(ev.OPENED, segment, codec.encode(requests.opening(pattern, total, opening.source)))
        try:
            outcome = await closing.settle(run, child, body, opening.timeout_s)
            return closing.close(run, child, outcome, self.path, segment)  # type: ignore[no-any-return]
        finally:
            self._failed += child.failed
            self._fold(segment, child.folded)

    async def reject(self, error: Exception) -> Any:
        """End a place at which something was raised: a failed step, unless its step has ended already.

        Returns:
            The output that a person has decided on since.

        Raises:
            RunError: In all other cases.
        """
        found = closing.as_run_error(error, join(self.path, self._naming.segment))
        if not self._naming.is_used_up:
            return await self._refuse(self._claim(""), found)
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

    async def last_ended(self) -> Stored | None:
        """Return the last child of this scope that ended, for a loop that goes on where it was.

        The children before it are not read. So the scope takes its last child's digest for its own: it is the
        same then whether or not the loop was ever interrupted.
        """
        self._past, self._is_loop = NOTHING, True
        if (last := await last_ended(self._run, self.path)) is not None:
            self._count(last.name, last.digest or "0")
        return last

    async def begun(self) -> float:
        """Return when this scope was begun, in seconds since 1970; begun anew once it has been reopened."""
        known = self._past.look("begun")
        if known is not None and known.seq < self._run.reopened.get(self.path, 0):
            self._past.take("begun")
        return await self.now("begun")


_PERFORM = Context.perform.__code__


def _nothing() -> None:
    pass
