"""Compiles a definition to calls of the pattern functions; there is no second interpreter.

Rule 1: a step's expressions are evaluated when it starts, with the names of its scope.
Rule 2: what cannot be evaluated fails that step, on the record, with the place where it is written.
Rule 3: the same workflow in Python makes the same calls, and so writes the same journal.
"""

from __future__ import annotations

import posixpath
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from maestri.errors import InputInvalid
from maestri.kernel.body import Body, OneStep, Opening
from maestri.kernel.context import Context
from maestri.kernel.path import join
from maestri.kernel.ports import Task
from maestri.lang.circles import needed
from maestri.lang.frames import Frame, check_scalar, sandbox_for, text, truth, value
from maestri.lang.inputs import complete
from maestri.lang.keys import WAITS
from maestri.lang.model import (
    AgentDef,
    ArmDef,
    BodyDef,
    CallDef,
    ExpressionDef,
    Listing,
    PatternDef,
    PredicateDef,
    RunDef,
    StepDef,
    SyncDef,
    Templated,
    WorkflowDef,
    WorkflowRef,
)
from maestri.lang.parts import part
from maestri.patterns._registry import Arm, HeldCommand, Need, Option, Workflow
from maestri.patterns._retry import retrying
from maestri.records import NamedTuple
from maestri.values import Json

Targets: TypeAlias = Callable[[WorkflowRef, WorkflowDef], Workflow]
SANDBOX: Final = "sandbox"
DONE: Final = "done"  # what a workflow that is called builds on
FOLDER: Final = "dir"  # what patterns call the copy of a directory that their bodies work in


class Unit(NamedTuple):
    """What the steps of one definition share: the definition, and how it finds other workflows."""

    definition: WorkflowDef
    targets: Targets
    memory: Any = None  # of one call of the workflow; None where no step writes into it
    meet: Any = None  # of a stream, to meet others; None elsewhere


def compile_workflow(definition: WorkflowDef, targets: Targets) -> Workflow:
    """Return a definition as an async function of a context and the inputs.

    Args:
        definition: A definition without findings.
        targets: Gives the workflow that a `workflow:` step names.
    """

    async def run(
        ctx: Context, inputs: Mapping[str, Json], done: tuple[str, ...] = (), sandbox: Json = None
    ) -> Json:
        frame = Frame({"inputs": complete(definition.name, definition.inputs, inputs)})
        frame.done, frame.sandbox = done, sandbox
        memory = part("memory")(definition, ctx, frame) if definition.remembers else None
        unit = Unit(definition, targets, memory)
        ctx.names = frame
        last = await _steps(unit, definition.steps, ctx, frame)
        if definition.output is None:
            return last
        return value(definition.output, frame, definition.source)

    run.isolates = definition.isolates  # type: ignore[attr-defined]
    return run


async def _steps(unit: Unit, body: BodyDef, ctx: Context, frame: Frame) -> Json:
    """Run the steps of a body in order; return its output."""
    last = None
    for step in body.steps:
        last = frame.names[step.name] = await _step(unit, step, ctx, frame)
        if unit.memory is not None:
            await unit.memory.after(ctx, step, frame)
        if unit.definition.isolates:
            frame.done = (*frame.done, join(ctx.path, step.name))
    return last if body.output is None else value(body.output, frame, unit.definition.source)


async def _step(unit: Unit, step: StepDef, ctx: Context, frame: Frame) -> Json:
    """Run one step, or skip it; return its output."""
    source = unit.definition.source
    try:
        if step.when is not None and not truth(step.when.value, frame, source):
            await ctx.skip(step.name)
            if unit.meet is not None and isinstance(step.action, SyncDef):
                unit.meet.skip(step.action.point)
            return None
        do = _prepared(unit, step, frame)
    except InputInvalid as error:
        return await ctx.refuse(step.name, error)  # type: ignore[no-any-return]
    return await do(ctx)


def _prepared(unit: Unit, step: StepDef, frame: Frame) -> Callable[[Context], Awaitable[Json]]:
    """Return the call that a step makes, with all its expressions evaluated.

    Raises:
        InputInvalid: One of them has no value.
    """
    properties = step.properties
    if properties is not None and properties.workspace != "none":
        return part("workspace")(unit, step, properties, frame)  # type: ignore[no-any-return]
    if properties is not None and properties.sandbox is not None:
        frame = frame.inside(properties.sandbox)
    if properties is not None and properties.is_checked:
        return part("checked")(unit, step, properties, frame)  # type: ignore[no-any-return]
    return bare(unit, step, frame)


def bare(unit: Unit, step: StepDef, frame: Frame) -> Callable[[Context], Awaitable[Json]]:
    """Return the call that a step makes without its checks.

    Raises:
        InputInvalid: One of its expressions has no value.
    """
    action = step.action
    if isinstance(action, PatternDef):
        return _pattern(unit, step, action, frame)
    if step.verb in WAITS:
        return part("waits")(unit, step, frame)  # type: ignore[no-any-return]
    if isinstance(action, SyncDef):
        return part("sync")(unit, step, action, frame)  # type: ignore[no-any-return]
    task = task_of(unit, step, frame)
    return lambda ctx: ctx.perform(step.name, task)


def task_of(unit: Unit, step: StepDef, frame: Frame) -> Task:
    """Return the task of a step that is one: `run`, `call` or `agent`.

    Raises:
        InputInvalid: One of its expressions has no value.
    """
    source, action = unit.definition.source, step.action
    if isinstance(action, RunDef):
        agent, request = "run", run_request(action, frame, unit)
    elif isinstance(action, CallDef):
        agent, request = "call", call_request(action, frame, unit)
    elif isinstance(action, AgentDef):
        agent, request = action.agent, _agent_request(unit, step, action, frame)
    else:
        raise TypeError(step.verb)  # a step of another verb has no task
    return Task(agent, request, step.policy, source=step.source(source), costs=isinstance(action, AgentDef))


def run_request(action: RunDef, frame: Frame, unit: Unit) -> dict[str, Any]:
    """Return the request of a `run` step: only what is written, so that the digest is of that."""
    source = unit.definition.source
    request: dict[str, Any] = {"command": action.command}
    if isinstance(action.command, Listing):
        request["command"] = [text(item, frame, source) for item in action.command.items]
    if action.env is not None:
        request["env"] = {key: text(item, frame, source) for key, item in action.env.entries}
    if action.stdin is not None:
        request["stdin"] = text(action.stdin, frame, source)
    cwd = None if action.cwd is None else text(action.cwd, frame, source)
    if cwd is not None or frame.folder is not None:
        request["cwd"] = _below(frame.folder, cwd)
    if action.output is not None:
        request["output"] = action.output
    if action.ok is not None:
        request["ok"] = list(action.ok)
    return frame.held(request)


def _below(folder: str | None, path: str | None) -> str:
    """Return a path from the folder that is worked on; one that is absolute stays as it is."""
    return posixpath.join(folder or "", path) if path else folder or ""


def call_request(action: CallDef, frame: Frame, unit: Unit) -> dict[str, Any]:
    """Return the request of a `call` step."""
    request: dict[str, Any] = {"function": action.function}
    if action.args is not None:
        given = value(action.args, frame, unit.definition.source)
        request["kwargs" if isinstance(given, dict) else "args"] = given
    return frame.held(request)


def _agent_request(unit: Unit, step: StepDef, action: AgentDef, frame: Frame) -> dict[str, Any]:
    """Return what an agent is asked, with the back end of one that the file defines."""
    source, properties = unit.definition.source, step.properties
    request: dict[str, Any] = {"prompt": text(action.prompt, frame, source)}
    if properties is not None and properties.returns is not None:
        request["returns"] = properties.returns.schema
    if properties is not None and properties.reads:
        request["reads"] = [text(one, frame, source) for one in properties.reads]
    known = unit.definition.agents.get(action.agent)
    if known is not None:
        request |= {key: known.options[key] for key in ("tier", "model") if key in known.options}
        own = {key: option for key, option in known.options.items() if key != SANDBOX}
        request["backend"] = {"kind": known.backend, **own}
    request |= {"tier": action.tier} if action.tier else {}
    request |= {"model": action.model} if action.model else {}
    request |= {} if frame.folder is None else {"cwd": frame.folder}
    return frame.held(request, None if known is None else known.options.get(SANDBOX))


# --- patterns -------------------------------------------------------------------------------------


def _pattern(
    unit: Unit, step: StepDef, action: PatternDef, frame: Frame
) -> Callable[[Context], Awaitable[Json]]:
    """Return the call of a pattern function with its options as Python values."""
    arguments: dict[str, Any] = {}
    for option in action.spec.options:
        given = action.options.get(option.name)
        if given is not None:
            arguments[option.parameter] = _argument(unit, option, given, frame)
    if frame.folder is not None and action.spec.option(FOLDER) is not None:
        arguments[f"{FOLDER}_"] = _below(frame.folder, arguments.get(f"{FOLDER}_"))
    opening = Opening(step.source(unit.definition.source), step.policy.step_timeout_s)

    def call(ctx: Context, name: str) -> Awaitable[Any]:
        return action.spec.function(ctx, name, **arguments)

    def once(ctx: Context) -> Awaitable[Any]:
        ctx.prepare(opening)
        if step.policy.retry is None and step.policy.attempt_timeout_s is None:
            return call(ctx, step.name)
        return retrying(ctx, step.name, call, step.policy)

    return once


def _argument(unit: Unit, option: Option, given: Any, frame: Frame) -> Any:
    """Return one option as the pattern function takes it."""
    if option.kind == "body":
        return bound_body(unit, given, frame) if option.binds.names else body(unit, given, frame)
    if option.kind == "bodies":
        made = bound_body if option.binds.names else body
        return {name: made(unit, inner, frame) for name, inner in given.items()}
    if option.kind == "arms":
        return {name: _arm(unit, arm, frame) for name, arm in given.items()}
    if option.kind == "graph":
        return _graph(unit, given, frame)
    if option.kind in {"undoable", "phases", "streams"}:
        return part(option.kind)(unit, given, frame)
    if option.kind == "predicate":
        return _predicate(unit, given, frame)
    if option.kind == "expression":
        return _expression(unit, given, frame)
    if option.kind == "workflow":
        return _target(unit, given, frame)
    found = value(given, frame, unit.definition.source)
    if option.kind == "scalar" and isinstance(given, Templated):
        check_scalar(unit.definition.source, option, found, given)
    return _held(found, frame) if option.kind == "command" else found


def _held(command: Any, frame: Frame) -> Any:
    """Return a command with the sandbox that it is to run in."""
    request = frame.held({})
    return HeldCommand.of(command, request[SANDBOX]) if request else command


def _target(unit: Unit, given: Any, frame: Frame) -> Any:
    """Return the workflow that is called; one whose steps work in places of their own is told."""
    target = unit.targets(given, unit.definition)
    more: dict[str, Any] = {}
    if getattr(target, "isolates", False):
        more[DONE] = tuple(frame.builds_on())
    if frame.sandbox is not None:
        more[SANDBOX] = sandbox_for(target, frame)
    return partial(target, **more) if more else target


def body(unit: Unit, definition: BodyDef, frame: Frame) -> Body[Json]:
    """Return a body as the patterns take it: a function over a scope, or the one step that it is."""
    if definition.is_single:
        (step,) = definition.steps
        return OneStep(_ranked(unit, definition, frame, partial(_single, unit, step, frame)))

    async def run(ctx: Context) -> Json:
        ctx.names = Frame({}, frame)
        return await _steps(unit, definition, ctx, ctx.names)

    return _ranked(unit, definition, frame, run)  # type: ignore[no-any-return]


def bound_body(unit: Unit, definition: BodyDef, frame: Frame) -> Callable[..., Any]:
    """Return a body that a pattern gives names to; it is called with their values."""

    def run(ctx: Context, *values: Json) -> Awaitable[Json]:
        names = dict(zip(definition.binds, values, strict=True))
        folder = names.get(FOLDER)
        inner = Frame(names, frame, folder if isinstance(folder, str) else None)
        if definition.is_single:
            return _step(unit, definition.steps[0], ctx, inner)
        ctx.names = Frame({}, inner)
        return _steps(unit, definition, ctx, ctx.names)

    run.is_one_step = definition.is_single  # type: ignore[attr-defined]
    return _ranked(unit, definition, frame, run)  # type: ignore[no-any-return]


def _single(unit: Unit, step: StepDef, frame: Frame, ctx: Context) -> Awaitable[Json]:
    return _step(unit, step, ctx, frame)


def _ranked(unit: Unit, definition: BodyDef, frame: Frame, body: Any) -> Any:
    """Return a body with the priority of its first step, which is known when the body is ready."""
    first = definition.steps[0] if definition.steps else None
    if first is None or first.properties is None or first.properties.priority is None:
        return body

    def priority(*values: Json) -> float:
        inner = Frame(dict(zip(definition.binds, values, strict=True)), frame)
        return part("priority")(first, inner, unit.definition.source)  # type: ignore[no-any-return]

    body.priority = priority
    return body


def _predicate(unit: Unit, definition: PredicateDef, frame: Frame) -> Callable[..., bool]:
    """Return a condition that is judged in a scope, whose names it sees."""

    def holds(scope: Context, *values: Json) -> bool:
        names = dict(zip(definition.binds, values, strict=True))
        return truth(definition.value, Frame(names, scope.names or frame), unit.definition.source)

    return holds


def _expression(unit: Unit, definition: ExpressionDef, frame: Frame) -> Callable[..., Json]:
    """Return an expression that is evaluated in a scope, whose names it sees."""

    def found(scope: Context, *values: Json) -> Json:
        names = dict(zip(definition.binds, values, strict=True))
        return value(definition.value, Frame(names, scope.names or frame), unit.definition.source)

    return found


def _arm(unit: Unit, arm: ArmDef, frame: Frame) -> Arm:
    when = arm.when
    condition = None if when is None else lambda: truth(when, frame, unit.definition.source)
    return Arm(body(unit, arm.body, frame), condition)


def _graph(unit: Unit, steps: tuple[StepDef, ...], frame: Frame) -> dict[str, Need]:
    """Return the steps of a graph; each sees the outputs of those that have ended, as the checks allow."""
    ended = Frame({}, frame)
    by_name = {step.name: [need.text for need in step.needs] for step in steps}

    def one(step: StepDef) -> OneStep[Json]:
        async def run(ctx: Context) -> Json:
            seen = ended if unit.memory is None else unit.memory.seen_in_graph(step, steps, ended)
            if unit.definition.isolates:
                seen = Frame({}, seen)
                seen.done = tuple(join(ctx.path, name) for name in sorted(needed(step.name, by_name)))
            output = ended.names[step.name] = await _step(unit, step, ctx, seen)
            if unit.memory is not None:
                await unit.memory.after_in_graph(ctx, step, ended)
            return output

        return OneStep(run)

    return {
        step.name: Need(one(step), tuple(need.text for need in step.needs), _priority(unit, step, ended))
        for step in steps
    }


def _priority(unit: Unit, step: StepDef, frame: Frame) -> float | Callable[[], float]:
    if step.properties is None or step.properties.priority is None:
        return 0.0
    return lambda: part("priority")(step, frame, unit.definition.source)
