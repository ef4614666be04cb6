"""The typed form of a definition: every part has its place, every expression is parsed.

Rule 1: the model says what the file says; whether it makes sense is for `checks/`.
Rule 2: a value that may hold expressions is a `Dynamic`; nothing here is evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from maestri.errors import Span
from maestri.kernel.policy import Policy
from maestri.lang.expressions.template import Template
from maestri.lang.inputs import InputDef
from maestri.lang.source import Source
from maestri.lang.tree import Scalar
from maestri.patterns._registry import PatternSpec
from maestri.records import NamedTuple
from maestri.values import Json


class Fixed(NamedTuple):
    """A value without expressions."""

    value: Json
    span: Span


class Templated(NamedTuple):
    """A text with `${...}` in it; offsets in the template count in the scalar's text."""

    template: Template
    scalar: Scalar

    @property
    def span(self) -> Span:
        """Where the text stands."""
        return self.scalar.span


class Listing(NamedTuple):
    """A list, some items of which may hold expressions."""

    items: tuple[Dynamic, ...]
    span: Span


class Record(NamedTuple):
    """A mapping, some values of which may hold expressions."""

    entries: tuple[tuple[str, Dynamic], ...]
    span: Span

    def get(self, key: str) -> Dynamic | None:
        """Return the value of a key."""
        return next((value for name, value in self.entries if name == key), None)


Dynamic: TypeAlias = Fixed | Templated | Listing | Record


class RunDef(NamedTuple):
    """`run:` a text for the shell, never templated, or a list of arguments.

    `text` is the text with its place.
    """

    command: str | Listing
    env: Record | None = None
    stdin: Dynamic | None = None
    cwd: Dynamic | None = None
    output: str | None = None
    ok: tuple[int, ...] | None = None
    text: Scalar | None = None


class CallDef(NamedTuple):
    """`call:` a Python function, `module:function`, with arguments by name or in order."""

    function: str
    args: Dynamic | None = None


class AgentDef(NamedTuple):
    """`agent:` a configured agent by name, and what it is asked; `tier` and `model` choose what answers."""

    agent: str
    prompt: Dynamic
    span: Span
    tier: str = ""
    model: str = ""


class LateDef(NamedTuple):
    """`on_timeout:` what becomes of a wait whose time was up: `fail`, `skip`, or a `default`."""

    word: str
    span: Span
    default: Dynamic | None = None


class AskDef(NamedTuple):
    """`ask:` a person; the answer is one of the `options`, or fits the `schema`, where there are any."""

    question: Dynamic
    options: tuple[str, ...] = ()
    schema: Returns | None = None
    on_timeout: LateDef | None = None


class WaitDef(NamedTuple):
    """`wait:` for a length of time, until a point in time, or for a signal, as long as `timeout_s`."""

    delay_s: float | None = None
    signal: str | None = None
    until: Dynamic | None = None
    timeout_s: float | None = None
    on_timeout: LateDef | None = None


class EmitDef(NamedTuple):
    """`emit:` an event of this run."""

    event: str
    span: Span
    data: Dynamic | None = None


class SyncDef(NamedTuple):
    """`sync:` the point at which the streams that name it meet."""

    point: str
    span: Span


class BodyDef(NamedTuple):
    """Steps in order, or the one step that a named body may be.

    `binds` are names that a pattern gives it; `name_span` is the place of its own name, if it has one.
    """

    steps: tuple[StepDef, ...]
    span: Span
    output: Dynamic | None = None
    is_single: bool = False
    binds: tuple[str, ...] = ()
    name_span: Span | None = None


class ArmDef(NamedTuple):
    """One arm of a branch."""

    body: BodyDef
    when: Templated | Fixed | None = None


class PhaseDef(NamedTuple):
    """One phase: its body, what judges it, and what happens when that says no. `keys` are their places."""

    body: BodyDef
    validate: BodyDef | PredicateDef | None = None
    on_invalid: str = "stop"
    max_tries: int = 3
    keys: Mapping[str, Span] = {}


class PredicateDef(NamedTuple):
    """An expression that must be true or false; `binds` are names that the pattern gives it."""

    value: Templated | Fixed
    binds: tuple[str, ...] = ()


class ExpressionDef(NamedTuple):
    """An expression that a pattern evaluates itself; `binds` are names that the pattern gives it."""

    value: Dynamic
    binds: tuple[str, ...] = ()


class WorkflowRef(NamedTuple):
    """`workflow:` a name under `workflows:`, a file, or a Python function."""

    target: str
    span: Span
    inputs: Dynamic | None = None


OptionDef: TypeAlias = (
    BodyDef
    | Mapping[str, BodyDef]
    | Mapping[str, ArmDef]
    | Mapping[str, PhaseDef]
    | tuple["StepDef", ...]
    | PredicateDef
    | ExpressionDef
    | WorkflowRef
    | Fixed
    | Templated
    | Listing
    | Record
)


class PatternDef(NamedTuple):
    """A pattern with its options by YAML key."""

    spec: PatternSpec
    options: Mapping[str, OptionDef]


Action: TypeAlias = RunDef | CallDef | AgentDef | AskDef | WaitDef | EmitDef | SyncDef | PatternDef


class CheckDef(NamedTuple):
    """One check of a step: a command, or a condition over its `output`; `said` is what messages call it."""

    said: str
    span: Span
    run: RunDef | None = None
    holds: PredicateDef | None = None


class Returns(NamedTuple):
    """What an answer must be: a JSON Schema, and the name that it has in the file."""

    schema: Json
    span: Span
    name: str = ""


class Estimate(NamedTuple):
    """What a step is expected to take; `said` is how it is shown."""

    said: str
    tokens: int | None = None
    usd: float | None = None
    duration_s: float | None = None


class Properties(NamedTuple):
    """What a step may have beside its verb; most steps have none of these.

    `keys` are the places of the keys. `max_age_s` is how long an output is kept for other runs.
    """

    keys: Mapping[str, Span]
    requires: tuple[Dynamic, ...] = ()
    reads: tuple[Dynamic, ...] = ()
    delivers: tuple[Dynamic, ...] = ()
    verify: tuple[CheckDef, ...] = ()
    handoff: tuple[CheckDef, ...] = ()
    on_unmet: str = "block"
    returns: Returns | None = None
    repair_turns: int = 1
    outputs: Record | None = None
    memory: Record | None = None
    cache: bool = False
    max_age_s: float | None = None
    priority: Fixed | Templated | None = None
    estimate: Estimate | None = None
    sandbox: Json = None
    workspace: str = "none"
    claims: tuple[Dynamic, ...] = ()
    on_stray: str = "fail"

    @property
    def is_checked(self) -> bool:
        """Whether the step becomes a scope, in which it is done and checked."""
        parts = (self.requires, self.delivers, self.verify, self.handoff, self.returns)
        return any((*parts, self.outputs, self.memory, self.cache))


class FileAgent(NamedTuple):
    """An agent that a file defines: its back end, with the options that the requests get."""

    name: str
    span: Span
    backend: str
    options: Mapping[str, Json]


class StepDef(NamedTuple):
    """One step. `span` is that of its name, `verb_span` that of its verb; `undo` takes it back in a saga."""

    name: str
    span: Span
    verb: str
    verb_span: Span
    action: Action
    policy: Policy
    when: PredicateDef | None = None
    needs: tuple[Scalar, ...] = ()
    reason: str = ""
    description: str = ""
    properties: Properties | None = None
    undo: BodyDef | None = None

    def source(self, source: Source) -> str:
        """Return `file:line:col` of the step's name."""
        return f"{source.name}:{self.span.line}:{self.span.col}"


class WorkflowDef(NamedTuple):
    """A whole definition; `file` is where it was read from, for what it refers to beside it.

    `agents` and `schemas` are those of its file. `remembers`: a step of it writes into `memory`. `isolates`:
    a step of it works in a place of its own, or calls a workflow whose steps may.
    `unread` are the names of steps that could not be read; there are findings about them. `inputs_span` is
    the place of the key `inputs`.
    """

    name: str
    source: Source
    file: str
    steps: BodyDef
    inputs: Mapping[str, InputDef]
    workflows: Mapping[str, WorkflowDef]
    output: Dynamic | None = None
    version: str = ""
    description: str = ""
    timeout_s: float | None = None
    span: Span = Span(1, 1, 1, 1)
    unread: frozenset[str] = frozenset()
    inputs_span: Span | None = None
    agents: Mapping[str, FileAgent] = {}
    schemas: Mapping[str, Returns] = {}
    remembers: bool = False
    isolates: bool = False
