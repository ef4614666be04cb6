"""Events as lines of text, one a line, in a form that scripts may rely on.

    12:00:01 started   /checks/lint (run)
    12:00:03 succeeded /checks/lint 1.9s

Rule 1: a line is time, word, path and details; its first three fields never change their places.
"""

from __future__ import annotations

from typing import Any, Final

from maestri.kernel import events as ev
from maestri.kernel.events import Stored
from maestri.kernel.inside import words_of
from maestri.report.wording import clock, duration, one_line

_WORDS: Final[dict[int, str]] = {
    ev.STARTED: "started",
    ev.OPENED: "opened",
    ev.BLOCKED: "waiting",
    ev.UNBLOCKED: "goes on",
    ev.REPORTED: "reported",
    ev.RETRIED: "retrying",
    ev.SUCCEEDED: "succeeded",
    ev.FAILED: "failed",
    ev.CANCELLED: "cancelled",
    ev.SKIPPED: "skipped",
    ev.HELD: "blocked",
    ev.RELEASED: "unblocked",
    ev.DECIDED: "decided",
    ev.SIGNALLED: "signalled",
    ev.SEALED: "done",
    ev.SCOPE_FAILED: "failed",
    ev.SCOPE_CANCELLED: "cancelled",
    ev.RUN_STARTED: "started",
    ev.RUN_RESUMED: "resumed",
    ev.RUN_REOPENED: "reopened",
    ev.RUN_PARKED: "waiting",
    ev.CANCEL_REQUESTED: "cancelling",
    ev.DIRECTED: "decided",
    ev.RUN_SUCCEEDED: "succeeded",
    ev.RUN_FAILED: "failed",
    ev.RUN_CANCELLED: "cancelled",
}
_BEGINS: Final = frozenset({ev.STARTED, ev.OPENED, ev.RUN_STARTED, ev.RUN_RESUMED, ev.BLOCKED})
_ENDS: Final = ev.STEP_ENDS | ev.SCOPE_ENDS | ev.RUN_ENDS
_KEPT = 10_000  # starts without an end, in a journal that was joined in the middle
_WIDTH = 200


class Lines:
    """Turns events into lines; remembers when things began, to say how long they took."""

    def __init__(self) -> None:
        """Begin with no event."""
        self._begun: dict[str, float] = {}

    def line(self, event: Stored) -> str:
        """Return the line of the next event."""
        path = event.path
        if event.kind in _BEGINS and len(self._begun) < _KEPT:
            self._begun.setdefault(path, event.at)
        details = _details(event)
        begun = self._begun.pop(path, _begun_at_once(event)) if event.kind in _ENDS else None
        if begun is not None:
            took = duration(event.at - begun)
            details = f"{took} {details}".rstrip()
        return f"{clock(event.at)} {_WORDS[event.kind]:<9} {path or 'run'} {details}".rstrip()


def _begun_at_once(event: Stored) -> float | None:
    """Return when a step was begun that has its start in its result."""
    is_told = event.kind == ev.SUCCEEDED and "agent" in event.body
    return event.at - event.body.get("took_s", 0.0) if is_told else None


def _details(event: Stored) -> str:
    return one_line(_said(event))[:_WIDTH]


def _said(event: Stored) -> str:
    body, kind = event.body, event.kind
    if "failure" in body:
        return _failure(event)
    if kind in {ev.STARTED, ev.OPENED}:
        return _kind_words(event)
    if kind == ev.DECIDED:
        return decision_words(body.get("value"))
    if kind in {ev.REPORTED, ev.RELEASED}:
        return words_of(body["what"], body.get("text", "")) if "what" in body else str(body.get("note", ""))
    if kind == ev.RUN_REOPENED:
        return ", ".join(body["paths"])
    if kind == ev.RUN_PARKED:
        return "for " + ", ".join(body.get("waiting", ()))
    if kind == ev.RUN_STARTED:
        return f"({body['workflow']})"
    if kind in {ev.DIRECTED, ev.CANCEL_REQUESTED}:
        return f"{body.get('verb', '')} {body.get('path', '')}".strip()
    if kind == ev.BLOCKED and body.get("until") is not None:
        return f"({body.get('reason', '')}, until {clock(body['until'])})"
    return f"({body['reason']})" if body.get("reason") else ""


def decision_words(value: Any) -> str:
    """Return what a contest has decided: who won, the votes, why, and how the others failed; else nothing."""
    if not isinstance(value, dict) or "winner" not in value:
        return ""
    parts = [f"{value['winner']} won"]
    votes = [f"{one['votes']} for {', '.join(one['from'])}" for one in value.get("tally") or ()]
    parts += [f"votes: {'; '.join(votes)}"] if votes else []
    parts += [str(value["reason"])] if value.get("reason") else []
    parts += [f"{name} failed: {one['message']}" for name, one in (value.get("failed") or {}).items()]
    return " · ".join(parts)


def _kind_words(event: Stored) -> str:
    body = event.body
    words = [str(body.get("agent") or body.get("pattern", ""))]
    if body.get("attempt", 1) > 1:
        words.append(f"attempt {body['attempt']}")
    if "total" in body:
        words.append(str(body["total"]))
    return f"({', '.join(words)})"


def _failure(event: Stored) -> str:
    failure = event.body["failure"]
    delay = f"in {duration(event.body['delay_s'])}: " if "delay_s" in event.body else ""
    return f"{delay}{failure['code']}: {failure['message']}"
