"""What a scope knows of itself: its names, its records, what its steps asked for, how many have failed.

Rule 1: a scope belongs to one asyncio task; concurrent children get a scope each (`kernel/fan.py`).
Rule 2: names are claimed in the order of the calls, counted per scope; nothing else makes a path.
Rule 3: here are the doors for patterns and the language; the verbs of a body are in `kernel/context.py`.
"""

from __future__ import annotations

from asyncio import Future, current_task
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from zlib import crc32

from maestri.errors import RunError, to_failure
from maestri.kernel import attempts, codec
from maestri.kernel import events as ev
from maestri.kernel.body import Opening
from maestri.kernel.events import Event, Stored
from maestri.kernel.naming import Naming
from maestri.kernel.past import NOTHING, REFUSAL, Past, Verb, check, check_past, give_back
from maestri.kernel.path import join
from maestri.values import Json

if TYPE_CHECKING:
    from maestri.kernel.run import RunCore

_DIGEST_MASK = (1 << 64) - 1
_NO_DIGEST = "-"  # what cannot be asked for has none, and so is like no request on record
PLAIN = Opening()  # nothing was said of the next scope


class Scope:
    """One scope of a run, in the hands of the asyncio task that executes it."""

    __slots__ = (
        "_digest",
        "_failed",
        "_hand_over",
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

    def __init__(self, run: RunCore, path: str, past: Past = NOTHING, place: str | None = None) -> None:
        """Made by the kernel. `place` is a segment claimed beforehand, for a child that is one step."""
        self._run = run
        self.path = path
        self._past = past
        self._naming = Naming(path, place)
        self._digest = 0
        self._failed = 0
        self._hand_over: Callable[[Future[None]], None] | None = None  # waits for a record in our place
        self._is_loop = False
        self._prepared = PLAIN
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
        return self._naming.take(name, current_task(self._run.loop))

    def _claim_known(self, name: str) -> tuple[str, Stored | None]:
        """Return the segment of the next use of a name, and how it ended if that is on record."""
        segment = self._claim(name)
        known = self._past.take(segment)
        return segment, None if known is None else known.end

    def claim(self, name: str, number: int | None = None) -> str:
        """Return the segment of the next use of a name, or of a certain one (an item's index, from 1)."""
        if number is None:
            return self._claim(name)
        return self._naming.take_number(name, number)

    def own(self) -> None:
        """Let no asyncio task but this one claim names here: children that run at once could share one."""
        self._naming.own(current_task(self._run.loop))

    def prepare(self, opening: Opening) -> None:
        """Say where the next scope is written and how long it may take; `scope` uses it up."""
        self._prepared = opening

    # --- records ------------------------------------------------------------------------------------

    async def refuse(self, name: str, error: RunError) -> Any:
        """Record that a step could not even be asked for, and raise why.

        Returns:
            The output that a person has decided on since.

        Raises:
            RunError: In all other cases.
        """
        return await self._refuse(self._claim(name), error)

    async def _refuse(self, segment: str, error: RunError, wanted: Any = None) -> Any:
        known = self._past.take(segment)
        end = None if known is None else known.end
        if end is not None:
            check(self._run, end, REFUSAL, _NO_DIGEST)
            if end.kind != ev.FAILED:
                return self._given_back(end, wanted)
        error.path = join(self.path, segment)
        error.origins = (error.path,)
        error.run = self._run.info.name
        self._failed += 1
        if end is None:
            body = codec.encode({"failure": to_failure(error).as_json()})
            await attempts.store_failure(self._run, self._event(ev.FAILED, segment, body))
        raise error

    def recorded(self, name: str) -> Any:
        """Return a value that `decide` has journaled in this scope, or None; nothing is claimed."""
        known = self._past.look(name)
        return known.body.get("value") if known is not None and known.kind == ev.DECIDED else None

    def forget(self, keep: str = "") -> None:
        """Forget what is on record here and was not asked for: an early end was decided without it.

        What bears the name `keep` is still to be asked for.
        """
        self._past.forget(keep)

    def drop(self, segment: str) -> None:
        """Forget what is on record of one child: it was decided without it."""
        self._past.take(segment)

    def add_failures(self, count: int) -> None:
        """Count failures that no step here stands for: the scope's own, or those of rounds not read."""
        self._failed += count

    def check_past(self) -> None:
        """Refuse when the journal has ended steps here that the body did not ask for.

        Raises:
            StepVanished: Names the first of them.
        """
        if self._past is not NOTHING:
            check_past(self._run, self._past, self.path)

    def _given_back(self, end: Stored, wanted: Any) -> Any:
        try:
            return give_back(end, wanted)
        except RunError:
            self._failed += 1
            raise

    def _check(self, end: Stored, verb: Verb) -> None:
        check(self._run, end, verb, "")

    # --- journal ------------------------------------------------------------------------------------

    def _event(self, kind: int, segment: str, body: str, digest: str = "") -> Event:
        return Event(kind, self.path, segment, self._run.clock.now(), digest, body)

    def _append(self, kind: int, segment: str, body: str) -> None:
        self._run.journal.append(self._event(kind, segment, body))

    def _count(self, segment: str, digest: str) -> None:
        """Fold what a child asked for into this scope's digest; the order of the children plays no part."""
        self._fold(segment, int(digest, 16))

    def _fold(self, segment: str, digest: int) -> None:
        before = 0 if self._is_loop else self._digest
        self._digest = (before + digest + crc32(segment.encode())) & _DIGEST_MASK

    def _take_in(self, place: Scope) -> None:
        """Count what the one step at a place of this scope has asked for, and how it ended."""
        self._failed += place.failed
        self._digest = (self._digest + place.folded) & _DIGEST_MASK
