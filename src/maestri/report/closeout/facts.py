"""What a run has come to, as a fold over its events: apply each in order, then look.

Rule 1: states come from the tree; here is what a tree does not keep: places of work, landings, figures, words
of people, interruptions.
Rule 2: it is for eyes, and a journal may be of another version: what has not the expected form is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from maestri.kernel import events as ev
from maestri.kernel import state
from maestri.kernel.events import Stored
from maestri.kernel.path import ancestors, is_within, split_segment
from maestri.kernel.ports import Reader
from maestri.records import NamedTuple
from maestri.report.tree import Tree

_PAGE: Final = 1000
_WORKSPACE, _LAND, _VERIFY = "workspace", "land", "verify"


class Place(NamedTuple):
    """What a step did in a place of its own; `work` is what was committed, empty where nothing was."""

    path: str
    branch: str
    base: str
    repository: str
    claims: tuple[str, ...]
    work: Mapping[str, Any]

    @property
    def files(self) -> list[str]:
        """The files that it has changed, with a sign before each: `+`, `~` or `-`."""
        signs = (("+", "added"), ("~", "changed"), ("-", "deleted"))
        return [f"{sign}{file}" for sign, word in signs for file in _texts(self.work.get(word))]

    @property
    def strays(self) -> list[str]:
        """The files that it has changed outside of its claims."""
        return [
            str(one["path"]) for one in self.work.get("stray", ()) if isinstance(one, dict) and "path" in one
        ]


class Landing(NamedTuple):
    """One landing: its output, or what there was to land and why nothing did."""

    path: str
    output: Mapping[str, Any]
    opened: Mapping[str, Any]
    failure: Mapping[str, Any] | None = None


class Spent(NamedTuple):
    """What a step has used, as far as its agent says; None is not known."""

    tokens: int | None = None
    usd: float | None = None


class Word(NamedTuple):
    """What somebody has said, or what has happened to the run, and when."""

    at: float
    text: str


class Facts:
    """A run under way or ended, for its closeout."""

    def __init__(self) -> None:
        """Begin with a run of which nothing is known."""
        self.tree = Tree(keeps_all=True)
        self.begun: Mapping[str, Any] = {}
        self.places: dict[str, Place] = {}
        self.landings: dict[str, Landing] = {}
        self.retried: dict[str, int] = {}
        self.words: list[Word] = []
        self.restarts = 0
        self._questions: dict[str, str] = {}
        self._spent: dict[str, Spent] = {}  # of each step, and of all below each scope
        self._ended = False

    def apply(self, event: Stored) -> None:
        """Take one more event in."""
        if not event.scope:
            self._apply_run(event)
        self.tree.apply(event)
        body, path = event.body, event.path
        if event.kind == ev.SUCCEEDED:
            self._succeeded(event)
        elif event.kind in {ev.SEALED, ev.SCOPE_FAILED} and self.tree.step(path).pattern == _LAND:
            opened = self.landings[path].opened if path in self.landings else {}
            self.landings[path] = Landing(path, _mapping(body.get("output")), opened, body.get("failure"))
        elif event.kind == ev.FAILED and event.scope in self.places:
            detail = _mapping(_mapping(body.get("failure")).get("detail"))
            if "stray" in detail:
                self.places[event.scope] = self.places[event.scope]._replace(work=detail)
        elif event.kind == ev.RETRIED:
            self.retried[path] = self.retried.get(path, 0) + 1
        elif event.kind == ev.BLOCKED and body.get("question"):
            self._questions[path] = str(body["question"])
        elif event.kind in {ev.HELD, ev.RELEASED}:
            word = (
                "was blocked" if event.kind == ev.HELD else f"was unblocked by {body.get('by') or 'itself'}"
            )
            self._say(
                event, f"`{path}` {word}: {body.get('reason') or body.get('note') or 'without a reason'}"
            )

    def begun_by(self) -> dict[str, str]:
        """Return which path each step of the definition was first done at, by its `file:line:col`.

        What waits for a person has no place in the definition on record: it is there by its name.
        """
        found: dict[str, str] = {}
        for step in self.tree.run.steps.values():
            key = step.source or split_segment(step.path.rpartition("/")[2])[0]
            known = found.get(key)
            if known is None or is_within(known, step.path):
                found[key] = step.path
        return found

    def _say(self, event: Stored, text: str) -> None:
        self.words.append(Word(event.at, text))

    def _apply_run(self, event: Stored) -> None:
        body, status = event.body, self.tree.run.status
        if event.kind == ev.RUN_STARTED:
            self.begun = body
        elif event.kind == ev.RUN_RESUMED and status == state.RUNNING and not self._ended:
            self.restarts += 1
            self._say(event, "the run was resumed: the process that executed it was gone")
        elif event.kind == ev.RUN_REOPENED:
            self._say(event, f"the run was reopened for {', '.join(_texts(body.get('paths')))}")
        elif event.kind == ev.DIRECTED:
            self._say(event, f"somebody decided by hand: {body.get('verb', '')} `{body.get('path', '')}`")
        elif event.kind == ev.CANCEL_REQUESTED:
            self._say(event, f"somebody asked to cancel {body.get('path') or 'the run'}")
        # A run that is opened again is not one that was found without its process.
        self._ended = event.kind in ev.RUN_ENDS or (self._ended and event.kind != ev.RUN_RESUMED)

    def _succeeded(self, event: Stored) -> None:
        path, output = event.path, event.body.get("output")
        if path in self._questions:
            self._say(event, f"`{path}` asked: {self._questions.pop(path)} The answer was `{output}`")
        usage = _mapping(event.body.get("usage"))
        if usage:
            tokens = [usage[key] for key in ("tokens_in", "tokens_out") if isinstance(usage.get(key), int)]
            spent = Spent(sum(tokens) if tokens else None, usage.get("cost_usd"))
            for scope in (*ancestors(path), path):
                self._spent[scope] = _sum(self._spent.get(scope, Spent()), spent)
        self._note_place(event, _mapping(output))

    def _note_place(self, event: Stored, output: Mapping[str, Any]) -> None:
        """Note what a step inside of a workspace, or of a landing, says of it."""
        pattern, name = self.tree.step(event.scope).pattern, split_segment(event.name)[0]
        if pattern == _WORKSPACE and name == "workspace" and "branch" in output:
            told = [str(output.get(key, "")) for key in ("branch", "base", "repository")]
            claims = tuple(_texts(output.get("claims")))
            self.places[event.scope] = Place(event.scope, told[0], told[1], told[2], claims, {})
        elif pattern == _WORKSPACE and name == "commit" and event.scope in self.places:
            self.places[event.scope] = self.places[event.scope]._replace(work=output)
        elif name == "open" and "into" in output and "branches" in output:
            around = self._landing_around(event.scope)
            if around:
                self.landings[around] = Landing(around, {}, output)

    def _landing_around(self, scope: str) -> str:
        above = scope.rpartition("/")[0]
        return next((path for path in (scope, above) if self.tree.step(path).pattern == _LAND), "")

    def spent_within(self, scope: str) -> Spent:
        """Return what a step, or all below a scope, has used."""
        return self._spent.get(scope, Spent())

    def causes(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield each failure where it began, with its path: not again in the scopes that failed of it."""
        for path, failure in self.tree.failures.items():
            step = self.tree.step(path)
            if step.state != state.FAILED:
                continue
            began = failure.get("path") or path
            if began == path or began not in self.tree.failures:
                yield path, failure


def _sum(one: Spent, other: Spent) -> Spent:
    tokens = [spent.tokens for spent in (one, other) if spent.tokens is not None]
    usd = [spent.usd for spent in (one, other) if spent.usd is not None]
    return Spent(sum(tokens) if tokens else None, sum(usd) if usd else None)


def read_facts(reader: Reader) -> Facts:
    """Return the facts of a run as its journal has them now; the whole journal is read."""
    facts, seq = Facts(), 0
    while events := reader.events(seq, _PAGE):
        for event in events:
            facts.apply(event)
        seq = events[-1].seq
    return facts


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []
