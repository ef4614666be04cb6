"""Goes through a definition once: every expression with the names that it sees, every step with its place.

The rules of `checks/` look at what is found here; none of them walks a definition of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from maestri.errors import Span
from maestri.lang import outputs
from maestri.lang.circles import by_needs
from maestri.lang.expressions.types import ANY, NULL, NUMBER, TEXT, Problem, Type, either, infer
from maestri.lang.keys import WAITS
from maestri.lang.model import (
    AgentDef,
    ArmDef,
    BodyDef,
    CallDef,
    Dynamic,
    ExpressionDef,
    Fixed,
    Listing,
    OptionDef,
    PatternDef,
    PredicateDef,
    Record,
    RunDef,
    StepDef,
    Templated,
    WorkflowDef,
    WorkflowRef,
)
from maestri.lang.parts import part
from maestri.lang.scopes import INPUTS, MEMORY, Level, View
from maestri.patterns._registry import Option
from maestri.records import NamedTuple

ANYTHING = "any"
NOT_NULL = "boolean|number|text|list|mapping"
TRUTH = "boolean"

Targets: TypeAlias = Callable[[WorkflowRef], "WorkflowDef | None"]
TypeOfWorkflow: TypeAlias = Callable[[WorkflowDef], Type]


class Use(NamedTuple):
    """A value where it stands: what it may be there (`wanted`, as in `may_be`), and what is known of it.

    `what` names the place for messages. `problems` count in the scalar's text. `is_certain`: nothing but a
    failure can keep it from being evaluated.
    """

    value: Templated | Fixed | Listing | Record
    view: View
    wanted: str
    what: str
    type: Type
    problems: tuple[Problem, ...] = ()
    is_certain: bool = False


class Placed(NamedTuple):
    """A step with the view that it has. `is_certain`: nothing but a failure can keep it from running."""

    step: StepDef
    view: View
    is_certain: bool
    in_graph: bool


class Call(NamedTuple):
    """A `workflow:` step with what it calls, if that is a definition."""

    ref: WorkflowRef
    target: WorkflowDef | None
    given: OptionDef | None
    types: Mapping[str, Type]
    is_certain: bool


class Link(NamedTuple):
    """One part of the way to a name inside a closed scope; `by_name`: its output has its parts by name."""

    name: str
    by_name: bool


class Siblings(NamedTuple):
    """Names that stand beside each other, each with its place. `is_seen`: expressions refer to them."""

    what: str
    names: tuple[tuple[str, Span], ...]
    is_seen: bool = True


class Survey:
    """What there is in one definition."""

    def __init__(self, definition: WorkflowDef) -> None:
        """Begin with nothing found."""
        self.definition = definition
        self.uses: list[Use] = []
        self.steps: list[Placed] = []
        self.calls: list[Call] = []
        self.siblings: list[Siblings] = []
        self.inside: dict[str, list[tuple[Link, ...]]] = {}
        self.output: Type = ANY


def survey(definition: WorkflowDef, targets: Targets, type_of_workflow: TypeOfWorkflow) -> Survey:
    """Return what there is in a definition.

    Args:
        definition: A definition, also one that could be read only in part.
        targets: Gives the definition that a `workflow:` names, or None.
        type_of_workflow: Gives the type of the output of such a definition.
    """
    walk = _Walk(Survey(definition), targets, type_of_workflow)
    types = {name: outputs.of_input(one) for name, one in definition.inputs.items()}
    # Open, so that an unknown input is one finding with its own words and not a missing field as well.
    shared = [INPUTS, MEMORY] if definition.remembers else [INPUTS]
    level = Level("bound", shared, {INPUTS: Type("mapping", fields=types)})
    last, view = walk.body(definition.steps, View(level, 0), "the workflow")
    output = definition.output
    walk.found.output = last if output is None else outputs.bounded(walk.value(output, view, "`output`"))
    return walk.found


class _Walk:
    def __init__(self, found: Survey, targets: Targets, type_of_workflow: TypeOfWorkflow) -> None:
        self.found = found
        self.targets = targets
        self.type_of_workflow = type_of_workflow
        self.certain = True
        self.trail: tuple[Link, ...] = ()
        self.meetings: Mapping[str, Type] = {}  # what the sync points around here give

    # --- values -------------------------------------------------------------------------------------

    def value(self, value: Dynamic, view: View, what: str, wanted: str = ANYTHING) -> Type:
        """Note a value with all its parts; return its type."""
        if isinstance(value, Fixed):
            found = outputs.of_value(value.value)
        elif isinstance(value, Templated):
            return self.templated(value, view, what, wanted)
        elif isinstance(value, Listing):
            found = Type("list", item=either([self.value(item, view, what) for item in value.items]))
        else:
            fields = {name: self.value(item, view, what) for name, item in value.entries}
            found = outputs.by_name(fields)
        self.found.uses.append(Use(value, view, wanted, what, found))
        return found

    def templated(self, value: Templated, view: View, what: str, wanted: str) -> Type:
        problems: list[Problem] = []
        found = TEXT if value.template.pieces else ANY
        for piece in value.template.parts:
            known, wrong = infer(piece.expr, view.type_of)
            problems += wrong
            if value.template.is_single:
                found = outputs.bounded(known)
            elif known.kind == "null":
                cause, fix = "nothing is not an empty text", 'write `default(x, "")`'
                problems.append(Problem(piece.start, piece.end, "null has no text", cause, fix))
        self.found.uses.append(Use(value, view, wanted, what, found, tuple(problems), self.certain))
        return found

    # --- bodies -------------------------------------------------------------------------------------

    def body(self, body: BodyDef, view: View, what: str) -> tuple[Type, View]:
        """Go through a body; return the type of its output, and the view from behind its last step."""
        if body.is_single and body.steps:
            name = self.trail[-1].name if self.trail else ""
            return self.step(body.steps[0], view, name, is_named=False), view
        level = Level("body", [step.name for step in body.steps])
        self.beside(f"steps of {what}", [(step.name, step.span) for step in body.steps])
        last: Type = NULL
        for step in body.steps:
            last = self.step(step, View(level, level.order[step.name], view), step.name)
            level.types[step.name] = last
            if step.when is not None:
                level.skippable.add(step.name)
            if isinstance(step.action, PatternDef) and outputs.may_lack(step.action):
                level.lacking.add(step.name)
        inner = View(level, len(level.order), view)
        if body.output is None:
            return last, inner
        return outputs.bounded(self.value(body.output, inner, f"`output` of {what}")), inner

    def beside(self, what: str, names: Iterable[tuple[str, Span]], *, is_seen: bool = True) -> None:
        listed = tuple(names)
        self.found.siblings.append(Siblings(what, listed, is_seen))
        for name, _ in listed:
            self.found.inside.setdefault(name, []).append(self.trail)

    def step(
        self, step: StepDef, view: View, name: str, *, is_named: bool = True, in_graph: bool = False
    ) -> Type:
        """Go through a step; return the type of its output."""
        self.found.steps.append(Placed(step, view, self.certain, in_graph))
        before = self.certain, self.trail
        if step.when is not None:
            self.value(step.when.value, view, "`when`", TRUTH)
            self.certain = False
        if isinstance(step.action, PatternDef):
            link = Link(name, outputs.is_by_name(step.action))
            self.trail = (*(self.trail if is_named else self.trail[:-1]), link)
            found = self.pattern(step.action, view, name)
        else:
            note_waits = part("survey_waits") if step.verb in WAITS else None
            if note_waits is None:
                self.verb(step, view)
            found = note_waits(self, step, view) if note_waits else outputs.of_action(step, self.meetings)
        if step.properties is not None:
            found = part("survey")(self, step, view, found)
        self.certain, self.trail = before
        return found if step.when is None else outputs.may_be_null(found)

    def verb(self, step: StepDef, view: View) -> None:
        """Note the values of a step that is no pattern."""
        action = step.action
        if isinstance(action, RunDef):
            self.command(action, view)
        elif isinstance(action, CallDef) and action.args is not None:
            self.value(action.args, view, "`args`")
        elif isinstance(action, AgentDef):
            self.value(action.prompt, view, "`prompt`", NOT_NULL)

    def command(self, action: RunDef, view: View) -> None:
        if isinstance(action.command, Listing):
            for item in action.command.items:
                self.value(item, view, "an argument", NOT_NULL)
        for name, item in () if action.env is None else action.env.entries:
            self.value(item, view, f"the variable `{name}`", NOT_NULL)
        for what, value, wanted in (("`stdin`", action.stdin, NOT_NULL), ("`cwd`", action.cwd, "text")):
            if value is not None:
                self.value(value, view, what, wanted)

    # --- patterns -----------------------------------------------------------------------------------

    def pattern(self, action: PatternDef, view: View, name: str) -> Type:
        """Go through the options of a pattern; return the type of its output."""
        given: dict[str, Type | Mapping[str, Type]] = {}
        inner = view
        certain = self.certain
        for option in action.spec.options:
            value = action.options.get(option.name)
            if value is None:
                continue
            self.certain = certain and not _may_be_left_out(action, option)
            if isinstance(value, BodyDef):
                bound = self.bound(value.binds, action, given, view)
                given[option.name], seen = self.body(value, bound, f"`{name}`")
                inner = seen if option.name == "steps" else inner
            elif isinstance(value, PredicateDef):
                # `until` is judged behind the steps of the body, `while` before them.
                seen = inner if option.name == "until" else view
                self.value(
                    value.value,
                    self.bound(value.binds, action, given, seen, option),
                    f"`{option.name}`",
                    TRUTH,
                )
            elif isinstance(value, ExpressionDef):
                seen = self.bound(value.binds, action, given, view)
                self.value(value.value, seen, f"`{option.name}`", _EXPRESSED.get(option.name, ANYTHING))
            else:
                given[option.name] = self.option(option, value, action, view, name)
        self.certain = certain
        return outputs.of_pattern(action, given)

    def option(
        self, option: Option, value: OptionDef, action: PatternDef, view: View, name: str
    ) -> Type | Mapping[str, Type]:
        """Go through an option that is neither a body nor a condition."""
        if isinstance(value, WorkflowRef):
            return self.call(value, action, view)
        if isinstance(value, Fixed | Templated | Listing | Record):
            if action.spec.keyword == "workflow":
                return ANY  # its inputs: noted one by one with the call
            wanted = _WANTED.get(option.kind, ANYTHING)
            return self.value(
                value, view, f"`{option.name}`", _of_scalar(option) if option.kind == "scalar" else wanted
            )
        if option.kind in {"undoable", "phases", "streams"}:
            return part(f"survey_{option.kind}")(self, value, view, name)  # type: ignore[no-any-return]
        if isinstance(value, tuple):
            return self.graph(value, view, name)
        return self.bodies(value, view, name)  # type: ignore[arg-type]  # phases are none of these

    def bound(
        self,
        binds: tuple[str, ...],
        action: PatternDef,
        given: outputs.Given,
        view: View,
        predicate: Option | None = None,
    ) -> View:
        """Return a view with the names that a pattern gives."""
        if not binds:
            return view
        types: dict[str, Type] = {"round": NUMBER, "index": NUMBER}
        items = given.get("items")
        if isinstance(items, Type) and items.kind == "list" and action.spec.keyword == "each":
            types[binds[0]] = items.item or ANY
        types["results"] = outputs.results(action.options, given) if action.spec.keyword == "each" else ANY
        body = given.get("steps")
        if predicate is not None and predicate.name == "until" and isinstance(body, Type):
            types["last"] = body
        known = types if action.spec.keyword in {"each", "loop"} else {}
        return View(Level("bound", binds, {name: known.get(name, ANY) for name in binds}), 0, view)

    def bodies(
        self, table: Mapping[str, BodyDef] | Mapping[str, ArmDef], view: View, name: str
    ) -> dict[str, Type]:
        """Go through the branches or arms of a pattern; return the types of their outputs."""
        is_arms = any(isinstance(one, ArmDef) for one in table.values())
        level = Level("arms" if is_arms else "branches", table)
        branches = [(branch, one.body if isinstance(one, ArmDef) else one) for branch, one in table.items()]
        places = [(branch, body.name_span or body.span) for branch, body in branches]
        self.beside(f"{level.kind} of `{name}`", places, is_seen=not is_arms)
        for branch, one in table.items():
            if isinstance(one, ArmDef) and one.when is not None:
                self.value(one.when, view, f"`when` of `{branch}`", TRUTH)
        trail = self.trail
        for branch, body in branches:
            self.trail = (*trail, Link(branch, by_name=False))
            seen = View(level, level.order[branch], view)
            if body.binds:
                seen = View(Level("bound", body.binds, dict.fromkeys(body.binds, ANY)), 0, seen)
            level.types[branch], _ = self.body(body, seen, f"`{branch}`")
        self.trail = trail
        return level.types

    def graph(self, steps: tuple[StepDef, ...], view: View, name: str) -> dict[str, Type]:
        """Go through the steps of a graph, each after those that it needs; return their types."""
        level = Level("graph", [step.name for step in steps])
        self.beside(f"steps of `{name}`", [(step.name, step.span) for step in steps])
        by_name = {step.name: step for step in steps}
        needs = {step.name: [need.text for need in step.needs] for step in steps}
        order = by_needs(needs)
        level.set_needs(needs, order)
        for one in order:
            inner = View(level, level.order[one], view)
            level.types[one] = self.step(by_name[one], inner, one, in_graph=True)
            action = by_name[one].action
            if by_name[one].when is not None:
                level.skippable.add(one)
            if isinstance(action, PatternDef) and outputs.may_lack(action):
                level.lacking.add(one)
        return level.types

    def call(self, ref: WorkflowRef, action: PatternDef, view: View) -> Type:
        """Note a call of another workflow with its inputs; return the type of its output."""
        target = self.targets(ref)
        given = action.options.get("inputs")
        types: dict[str, Type] = {}
        if isinstance(given, Record):
            for name, item in given.entries:
                types[name] = self.value(item, view, f"the input `{name}`")
        elif isinstance(given, Fixed | Templated | Listing):
            self.value(given, view, "`inputs`", "mapping|null")
        self.found.calls.append(Call(ref, target, given, types, self.certain))
        return ANY if target is None else self.type_of_workflow(target)


_WANTED = {"items": "list"}
_EXPRESSED = {"score": "number"}


def _of_scalar(option: Option) -> str:
    """Return the kinds that a scalar option takes, written `text|number`."""
    kinds = {"text"} if option.words or str in option.types else set()
    kinds |= {"number" for kind in option.types if kind in {int, float}}
    kinds |= {"boolean" for kind in option.types if kind is bool}
    return "|".join(sorted(kinds))


def _may_be_left_out(action: PatternDef, option: Option) -> bool:
    """Tell whether a body of a pattern may not run at all although the pattern does."""
    if action.spec.keyword not in _RUN_WHOLE or (action.spec.keyword == "each" and option.name == "steps"):
        return True
    return "while" in action.options or option.name == "on_result"


_GROUPS = frozenset({"saga", "phases", "streams", "review"})
# Of these patterns every body runs, unless something fails; of the others some may not be needed.
_RUN_WHOLE = frozenset({"steps", "parallel", "graph", "loop", "each", "workflow", *_GROUPS})
