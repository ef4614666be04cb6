"""One decorator, two doors: a pattern is a Python function, and its signature is its YAML form.

Rule 1: a parameter whose type is not in the table below makes the pattern refused, so that no pattern can
exist that YAML cannot say.
Rule 2: the JSON Schema for editors, the reference page and the checks read `PatternSpec`; nothing else
describes a pattern.

    parameter type                          in YAML
    name: str                               the step's own name
    Body                                    `steps:`, or one step
    Annotated[BoundBody, Binds(...)]        the same, with the names that the pattern binds
    Bodies                                  named bodies
    Annotated[BoundBodies, Binds(...)]      the same, each with the names that the pattern binds
    Arms                                    named bodies with `when`, written directly under the keyword
    GraphSteps                              named steps with `needs`
    UndoableSteps                           named steps in order, with `undo`
    Phases                                  named bodies with `validate`, written directly under the keyword
    Streams                                 named bodies that meet where they say `sync`
    Annotated[Predicate, Binds(...)]        an expression that gives true or false
    Annotated[Expression, Binds(...)]       an expression that gives any value
    Value                                   an expression or a literal
    Items                                   an expression that gives a list, or a list
    Workflow                                the name or file of another workflow
    Seconds                                 a duration (`90s`, `30m`)
    Command                                 a text for the shell, never templated
    Literal, int, bool, str, and unions     a scalar
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from maestri.errors import BadPattern
from maestri.kernel.body import Body, OneStep
from maestri.kernel.context import Context
from maestri.records import NamedTuple

# Plain types to a caller in Python; the second part only tells them from others here.
Seconds: TypeAlias = Annotated[float, "a duration in seconds"]
Value: TypeAlias = Annotated[Any, "an expression or a literal"]
Command: TypeAlias = Annotated[str, "a command for the shell"]

Bodies: TypeAlias = Mapping[str, Body[Any]]
BoundBody: TypeAlias = Callable[..., Awaitable[Any]]
BoundBodies: TypeAlias = Mapping[str, BoundBody]
Predicate: TypeAlias = Callable[..., bool]
Expression: TypeAlias = Callable[..., Any]
Items: TypeAlias = Sequence[Any]
Workflow: TypeAlias = Callable[[Context, Mapping[str, Any]], Awaitable[Any]]


class HeldCommand(str):
    """A command that is to run in a sandbox, which is said as a step says it."""

    __slots__ = ("sandbox",)
    sandbox: Any

    @classmethod
    def of(cls, command: str, sandbox: Any) -> HeldCommand:
        """Return a command with its sandbox."""
        found = cls(command)
        found.sandbox = sandbox
        return found


class Arm(NamedTuple):
    """One arm of a branch: taken when `when()` holds; without `when` it is the otherwise."""

    body: Body[Any]
    when: Callable[[], bool] | None = None


class Need(NamedTuple):
    """One step of a graph: its body gets the outputs of what it needs, by name.

    Of the steps that are ready where there is not room for all, the higher `priority` goes first.
    """

    body: Callable[[Context, Mapping[str, Any]], Awaitable[Any]] | OneStep[Any]
    needs: tuple[str, ...] = ()
    priority: float | Callable[[], float] = 0.0


class Undoable(NamedTuple):
    """One step of a saga: `body(scope, done)`, where `done` are the outputs of the steps before it, by name.

    `undo(scope, output, done)` takes it back; `output` is null where the step itself has failed. A step whose
    `when(done)` does not hold is skipped, and then there is nothing to undo.
    """

    body: BoundBody
    undo: BoundBody | None = None
    when: Callable[[Mapping[str, Any]], bool] | None = None


class Phase(NamedTuple):
    """One phase: `body(scope, problem, done)`; `problem` says why it did not pass before, `done` is as above.

    `validate(scope, output, done)` is a body that judges the output; `holds(output, done)` does so at once.
    """

    body: BoundBody
    validate: BoundBody | None = None
    holds: Callable[[Any, Mapping[str, Any]], bool] | None = None
    on_invalid: Literal["stop", "retry", "ask"] = "stop"
    max_tries: int = 3


class Stream(NamedTuple):
    """A stream that meets others: `body(scope, meet)`, and the points of its `sync`, in their order.

    `await meet(scope, name, point, value)` waits for the others at a point, as the step `name`, and returns
    what each has brought, by the names of the streams.
    """

    body: BoundBody
    syncs: tuple[str, ...] = ()


Arms: TypeAlias = Mapping[str, Arm]
GraphSteps: TypeAlias = Mapping[str, Need]
UndoableSteps: TypeAlias = Mapping[str, Undoable]
Phases: TypeAlias = Mapping[str, Phase]
Streams: TypeAlias = Mapping[str, Stream | Body[Any]]


def bind(body: BoundBody, *values: Any) -> Body[Any]:
    """Return a body with the values of its names: a step in place of a scope where it is just one step."""

    def call(scope: Context) -> Awaitable[Any]:
        return body(scope, *values)

    if getattr(body, "is_one_step", False):
        return OneStep(call)
    call.__wrapped__ = body  # type: ignore[attr-defined]  # its return type is the body's
    return call


class Binds(NamedTuple):
    """The names that a pattern binds in a body or an expression, in the order of the arguments."""

    names: tuple[str, ...]
    renamed_by: str = ""  # the option whose value replaces the first name (`as:` in `each`)


Kind: TypeAlias = Literal[
    "body",
    "bodies",
    "arms",
    "graph",
    "undoable",
    "phases",
    "streams",
    "predicate",
    "expression",
    "value",
    "items",
    "workflow",
    "seconds",
    "command",
    "scalar",
]


class Option(NamedTuple):
    """One key of a pattern in YAML. `words` are the texts that it takes, `types` the other scalars."""

    name: str
    kind: Kind
    parameter: str
    required: bool
    default: Any = None
    words: tuple[str, ...] = ()
    types: tuple[type, ...] = ()
    binds: Binds = Binds(())
    doc: str = ""


class PatternSpec(NamedTuple):
    """A pattern as the language sees it."""

    keyword: str
    function: Callable[..., Awaitable[Any]]
    options: tuple[Option, ...]
    summary: str
    doc: str

    def option(self, name: str) -> Option | None:
        """Return an option by its YAML key."""
        return next((option for option in self.options if option.name == name), None)

    @property
    def spread(self) -> Option | None:
        """The option whose content stands directly under the keyword, if there is one."""
        return next((option for option in self.options if option.kind in {"arms", "phases"}), None)


F = typing.TypeVar("F", bound=Callable[..., Awaitable[Any]])
_KEYWORD = "__maestri_keyword__"


def pattern(keyword: str) -> Callable[[F], F]:
    """Make a function the pattern of a YAML keyword; its signature is read when the language needs it."""

    def mark(function: F) -> F:
        setattr(function, _KEYWORD, keyword)
        return function

    return mark


@lru_cache(maxsize=64)
def spec(function: Callable[..., Awaitable[Any]]) -> PatternSpec:
    """Return how a pattern looks in YAML.

    Raises:
        BadPattern: A parameter has a type that YAML cannot say, or the function is no pattern.
    """
    keyword = getattr(function, _KEYWORD, None)
    if keyword is None:
        message = f"`{function.__qualname__}` is not a pattern"
        raise BadPattern(message, fix="put `@pattern(KEYWORD)` above it")
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())
    if [p.name for p in parameters[:2]] != ["ctx", "name"]:
        message = f"the first parameters of the pattern `{keyword}` are not `ctx` and `name`"
        raise BadPattern(message, fix="begin its signature with `ctx: Context, name: str`")
    docs = _argument_docs(inspect.getdoc(function) or "")
    options = tuple(_option(keyword, p, hints[p.name], docs.get(p.name, "")) for p in parameters[2:])
    doc = inspect.getdoc(inspect.getmodule(function)) or ""
    return PatternSpec(keyword, function, options, doc.partition("\n")[0], doc)


def _option(keyword: str, parameter: inspect.Parameter, hint: Any, doc: str) -> Option:
    required = parameter.default is inspect.Parameter.empty
    default = None if required else parameter.default
    name = parameter.name.removesuffix("_")
    binds = Binds(())
    optional = _without_none(hint)
    if get_origin(optional) is Annotated and isinstance(get_args(optional)[1], Binds):
        optional, binds = get_args(optional)
    kind, words, scalars = _kind(optional)
    if kind is None:
        message = f"the parameter `{parameter.name}` of the pattern `{keyword}` has a type YAML cannot say"
        raise BadPattern(message, fix="use one of the types listed in docs/reference/patterns.md")
    return Option(name, kind, parameter.name, required, default, words, scalars, binds, doc)


_KINDS: tuple[tuple[Any, Kind], ...] = (
    (Arms, "arms"),
    (GraphSteps, "graph"),
    (UndoableSteps, "undoable"),
    (Phases, "phases"),
    (Streams, "streams"),
    (BoundBody, "body"),
    (BoundBodies, "bodies"),
    (Predicate, "predicate"),
    (Expression, "expression"),
    (Items, "items"),
    (Workflow, "workflow"),
    (Seconds, "seconds"),
    (Command, "command"),
    (Value, "value"),
)


def _kind(hint: Any) -> tuple[Kind | None, tuple[str, ...], tuple[type, ...]]:
    for known, kind in _KINDS:
        if hint == known:
            return kind, (), ()
    if _is_body(hint):
        return "body", (), ()
    if get_origin(hint) is Mapping and _is_body(get_args(hint)[1]):
        return "bodies", (), ()
    words: list[str] = []
    scalars: list[type] = []
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    for option in options:
        if get_origin(option) is Literal:
            words.extend(get_args(option))
        elif option in (int, bool, str, float):
            scalars.append(option)
        else:
            return None, (), ()
    return "scalar", tuple(words), tuple(scalars)


def _is_body(hint: Any) -> bool:
    """Tell whether a type is `Body` of something: the one union that holds `OneStep`."""
    return any((get_origin(option) or option) is OneStep for option in get_args(hint))


def _without_none(hint: Any) -> Any:
    """Return the type without `| None`; a type that is itself a union of known forms stays whole."""
    if get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint):
        rest = tuple(option for option in get_args(hint) if option is not type(None))
        return rest[0] if len(rest) == 1 else Union[rest]  # noqa: UP007  - built at run time
    return hint


def _argument_docs(doc: str) -> dict[str, str]:
    """Return the lines of a Google-style `Args:` section by parameter."""
    found: dict[str, str] = {}
    inside, last = False, ""
    for line in doc.splitlines():
        if line.strip() == "Args:":
            inside = True
        elif inside and line and not line.startswith(" "):
            break
        elif inside and line.startswith("    ") and not line.startswith("     ") and ":" in line:
            last, _, text = line.strip().partition(":")
            found[last] = text.strip()
        elif inside and last and line.strip():
            found[last] += " " + line.strip()
    return found
