"""What a body hears and says: signals, answers of people, events of its own run.

Rule: each is a step with a record; what came is handed on only when that is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from maestri.errors import Timeout
from maestri.kernel import codec, waiting
from maestri.kernel.events import Stored
from maestri.kernel.listening import emit, event, limited
from maestri.kernel.path import check_name, join
from maestri.kernel.scope import Scope
from maestri.kernel.typed import to_plain
from maestri.values import Json


class Talking(Scope):
    """A scope with the verbs that wait for a word, or give one."""

    __slots__ = ()

    async def signal(
        self,
        name: str,
        signal: str | None = None,
        *,
        timeout_s: float | None = None,
        on_timeout: waiting.OnTimeout = "fail",
        default: Json = None,
    ) -> Any:
        """Wait for a signal and return its data; `signal` is its name, if not the step's.

        Args:
            name: The step's name.
            signal: The signal's name.
            timeout_s: How long it may take.
            on_timeout: What becomes of the step then: it fails, is skipped (None), or gives the `default`.
            default: What it gives then.

        Raises:
            Timeout: It did not come in time, and `on_timeout` is `fail`.
        """
        wanted = signal or name
        words, fields = f"signal `{wanted}`", {"signals": [wanted]}
        what = waiting.Awaited(f"signal:{wanted}", words, waiting.SIGNAL_DIGEST, fields)
        what = what._replace(timeout_s=timeout_s, on_timeout=on_timeout, default=default)
        return await self._hear(self._claim_known(name), what)

    async def ask(
        self,
        name: str,
        question: str,
        options: list[str] | None = None,
        *,
        schema: Mapping[str, Any] | None = None,
        refuses: Callable[[Any], str] | None = None,
        timeout_s: float | None = None,
        on_timeout: waiting.OnTimeout = "fail",
        default: Json = None,
    ) -> Any:
        """Ask a person and return the answer.

        Args:
            name: The step's name.
            question: What is asked.
            options: The answers to choose from.
            schema: The JSON Schema of an answer, for those who show the question.
            refuses: Says what is wrong with an answer; one that is refused is recorded, and the wait goes on.
            timeout_s: How long the answer may take.
            on_timeout: What becomes of the step then: it fails, is skipped (None), or gives the `default`.
            default: What it gives then.

        Raises:
            Timeout: No answer came in time, and `on_timeout` is `fail`.
        """
        segment, known = self._claim_known(name)
        fields: dict[str, Any] = {"question": question, **({"options": options} if options else {})}
        fields |= {} if schema is None else {"schema": dict(schema)}
        key, words = f"answer:{join(self.path, segment)}", f"an answer: {question}"
        what = waiting.Awaited(
            key, words, waiting.ASK_DIGEST, fields, None, refuses, timeout_s, on_timeout, default
        )
        return await self._hear((segment, known), what)

    async def _hear(self, place: tuple[str, Stored | None], what: waiting.Awaited) -> Any:
        if what.timeout_s is None:
            return await waiting.word(self._run, self.path, *place, what)
        try:
            return await limited(self._run, self.path, *place, what)
        except Timeout:
            self._failed += 1
            raise

    async def event(self, name: str, signals: Sequence[str] = (), *, due: float | None = None) -> Any:
        """Wait for any of several signals; return `{name, data}`, or None when nothing came in time.

        Args:
            name: The step's name.
            signals: Their names; none stands for every signal that nobody else waits for.
            due: Until when, in seconds since 1970.
        """
        return await event(self._run, self.path, *self._claim_known(name), signals, due)

    async def emit(self, name: str, data: Any = None, signal: str | None = None) -> dict[str, Any]:
        """Give an event to whoever in this run waits for the signal, now or later; to one of them, once.

        Args:
            name: The step's name.
            data: What the event carries.
            signal: The event's name, if not the step's.

        Returns:
            The `name` and the `data`, as they are on record.
        """
        segment, known = self._claim_known(name)
        wanted, value = signal or name, to_plain(data)
        check_name(wanted)
        digest = codec.digest(["emit", wanted, value])
        self._count(segment, digest)
        return await emit(self._run, self.path, segment, known, wanted, value, digest)
