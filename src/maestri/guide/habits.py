"""Advice on patterns that do too much for what is in them, or that another one does better."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from maestri.guide.advice import Advice, Place, named, seen
from maestri.guide.uses import references
from maestri.lang.model import (
    AgentDef,
    BodyDef,
    Fixed,
    Listing,
    OptionDef,
    PatternDef,
    RunDef,
    StepDef,
    Templated,
)

SINGLE = "single agent"
OVER = "over-orchestration"
_TINY_WORDS = 12  # a prompt of so few words is a small task
_MANY = 4  # small tasks of one agent that are better done at once
_FIXER = '    fix: {agent: …, prompt: "… ${failures}"}'
_LISTED = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+(.+)$", re.MULTILINE)


def on_single_agent(place: Place) -> Iterator[Advice]:
    """Say that one agent does everything."""
    if place.path != "/" or place.body is None or len(place.body.steps) != 1:
        return
    step = place.body.steps[0]
    if not isinstance(step.action, AgentDef):
        return
    prompt = _prompt(step.action)
    tasks = [task.strip() for task in _LISTED.findall(prompt)]
    count = len(prompt.split())
    words = f"{count} word" if count == 1 else f"{count} words"
    lists = f", which list {len(tasks)} tasks" if len(tasks) > 1 else ""
    lines = ["work:", "  parallel:", "    branches:"]
    lines += [
        f"      task{n}: {{agent: {step.action.agent}, prompt: {task[:40]}}}"
        for n, task in enumerate(tasks, 1)
    ]
    yield Advice(
        SINGLE,
        "parallel" if lists else "scout",
        place.path,
        f"the agent `{step.action.agent}` does everything: one step, {words}{lists}",
        "nothing runs beside it, and nobody looks at what comes of it",
        (seen(step),),
        "make each task a branch of a `parallel`, and put the results together in a step after it"
        if lists
        else "if the task has parts, make them steps; if nobody knows them yet, let a `scout` find them",
        "\n".join(lines) if lists else "",
    )


def on_tiny_tasks(place: Place) -> Iterator[Advice]:
    """Say that one agent is asked for many small things one by one."""
    steps = [] if place.body is None else place.body.steps
    run: list[StepDef] = []
    for step in (*steps, None):
        if step is not None and _is_tiny(step) and (not run or _agent(step) == _agent(run[0])):
            run.append(step)
            continue
        if len(run) >= _MANY:
            yield Advice(
                OVER,
                "",
                place.path,
                f"the agent `{_agent(run[0])}` is asked {len(run)} times for something small",
                "starting, handing over and recording each costs more than the work itself",
                tuple(map(seen, run)),
                f"ask for all of it in one step in place of {named(run)}",
            )
        run = [step] if step is not None and _is_tiny(step) else []


def _is_tiny(step: StepDef) -> bool:
    return isinstance(step.action, AgentDef) and len(_prompt(step.action).split()) <= _TINY_WORDS


def _agent(step: StepDef) -> str:
    return step.action.agent if isinstance(step.action, AgentDef) else ""


def _prompt(action: AgentDef) -> str:
    prompt = action.prompt
    if isinstance(prompt, Templated):
        return prompt.scalar.text
    return str(prompt.value) if isinstance(prompt, Fixed) else ""


def on_empty_patterns(place: Place) -> Iterator[Advice]:
    """Say which patterns hold nothing that needs them."""
    step = place.step
    if step is None or not isinstance(step.action, PatternDef):
        return
    found = _needless(step.verb, step.action.options)
    if found:
        says, better = found
        because = "a pattern that has nothing to do is a line that somebody reads"
        yield Advice(
            OVER, "", place.path, f"the `{step.verb}` `{step.name}` {says}", because, (seen(step),), better
        )


def _needless(verb: str, options: Mapping[str, OptionDef]) -> tuple[str, str] | None:
    """Return what is needless about a pattern, and what to write in its place."""
    parts = _parts(options)
    if "join" in options:
        return None  # it is there for what becomes of a failure
    if verb in {"parallel", "race", "fallback", "streams"} and len(parts) == 1:
        return "has one branch", "write the branch as a step"
    if verb == "branch" and len(parts) == 1:
        return "has one arm", "write the arm as a step, with its `when`"
    if verb == "graph" and len(parts) == 1:
        return "has one step", "write the step where the graph is"
    body = options.get("steps")
    if verb == "steps" and isinstance(body, BodyDef) and len(body.steps) == 1 and body.output is None:
        return "holds one step", "write the step where they are"
    items = options.get("items")
    if verb == "each" and _size(items) == 1:
        return "has a list of one item", "write its body as steps"
    rounds = options.get("max_rounds")
    if verb == "loop" and isinstance(rounds, Fixed) and rounds.value == 1:
        return "has one round", "write its body as steps"
    return None


def _size(items: OptionDef | None) -> int:
    if isinstance(items, Listing):
        return len(items.items)
    return len(items.value) if isinstance(items, Fixed) and isinstance(items.value, list) else -1


def _parts(options: Mapping[str, OptionDef]) -> Sequence[object]:
    for value in options.values():
        if isinstance(value, Mapping):
            return list(value.values())
        if isinstance(value, tuple) and value and isinstance(value[0], StepDef):
            return list(value)
    return ()


def on_graphs(place: Place) -> Iterator[Advice]:
    """Say which graphs are a plain line, or have no needs at all."""
    step = place.step
    if step is None or step.verb != "graph" or not isinstance(step.action, PatternDef):
        return
    steps = [one for one in _parts(step.action.options) if isinstance(one, StepDef)]
    if any(one.reason for one in steps):
        return  # somebody has thought about it
    needs = [{need.text for need in one.needs} for one in steps]
    if len(steps) > 1 and not any(needs):
        fix = "make its steps the branches of a `parallel`"
        yield _better(place.path, step, "parallel", "no step needs another", fix, steps)
    elif len(steps) > 1 and _is_line(steps, needs):
        fix = "write them as `steps` in that order"
        yield _better(place.path, step, "steps", "each step needs the one before it", fix, steps)
    elif len(steps) > 1:
        because = "some of its steps need others, and none waits for what it does not need"
        yield _fits(place.path, step, steps, because)


def _is_line(steps: Sequence[StepDef], needs: Sequence[set[str]]) -> bool:
    """Tell whether the steps need each other one by one, in whatever order they are written."""
    needed = [name for one in needs for name in one]
    return all(len(one) <= 1 for one in needs) and len(needed) == len(set(needed)) == len(steps) - 1


def _better(
    path: str, graph: StepDef, pattern: str, because: str, fix: str, steps: Sequence[StepDef]
) -> Advice:
    says = f"the `graph` `{graph.name}` is more than it needs to be"
    return Advice(OVER, pattern, path, says, because, tuple(map(seen, steps)), fix)


def _fits(path: str, graph: StepDef, steps: Sequence[StepDef], because: str) -> Advice:
    return Advice("", "graph", path, f"`graph` fits `{graph.name}`", because, tuple(map(seen, steps)))


def on_first_of_many(place: Place) -> Iterator[Advice]:
    """Say where a `parallel` is a race."""
    step = place.step
    if step is None or step.verb != "parallel" or not isinstance(step.action, PatternDef):
        return
    join = step.action.options.get("join")
    if isinstance(join, Fixed) and join.value in {"any", 1}:
        yield Advice(
            "a race by hand",
            "race",
            place.path,
            f"of the branches of `{step.name}` the first one counts",
            "a `race` says who has won, and can look whether the answer is good with `accept`",
            (seen(step),),
            "make it a `race`",
        )


def on_mending(place: Place) -> Iterator[Advice]:
    """Say where a loop runs a command, and has what it says mended."""
    step = place.step
    if step is None or step.verb != "loop" or not isinstance(step.action, PatternDef):
        return
    body = step.action.options.get("steps")
    steps = body.steps if isinstance(body, BodyDef) else ()
    for check in steps:
        mending = [one for one in steps if one is not check and isinstance(one.action, AgentDef)]
        mending = [one for one in mending if any(use[0] == check.name for use in references(one))]
        if isinstance(check.action, RunDef) and mending:
            yield Advice(
                "a repair by hand",
                "repair",
                place.path,
                f"`{step.name}` runs `{check.name}`, and has {named(mending)} mend what it says",
                "it changes the files themselves, round by round, also where it gives up",
                (seen(check), *map(seen, mending)),
                "make it a `repair`, which works in a copy, and brings it back when the check passes",
                f"{step.name}:\n  repair:\n    check: {{run: …}}\n" + _FIXER,
            )
            return


def on_own_reviews(place: Place) -> Iterator[Advice]:
    """Say where somebody reviews what they have written."""
    step = place.step
    if step is None or step.verb not in {"refine", "review"} or not isinstance(step.action, PatternDef):
        return
    options = step.action.options
    authors = _agents(options.get("draft") or options.get("primary"))
    reviewers = options.get("review") or options.get("reviewers")
    same = sorted(authors & _agents(reviewers))
    if same:
        yield Advice(
            "an author's own review",
            step.verb,
            place.path,
            f"in `{step.name}` the agent `{same[0]}` reviews what it has written",
            "whoever has made a mistake is the last one to see it",
            (seen(step),),
            "let another agent review it, or the same one with another model",
        )


def _agents(part: OptionDef | None) -> set[str]:
    """Return the agents, with their models, that are asked in the steps of a body or of several."""
    if isinstance(part, Mapping):
        return {agent for body in part.values() if isinstance(body, BodyDef) for agent in _agents(body)}
    steps = part.steps if isinstance(part, BodyDef) else ()
    actions = [step.action for step in steps if isinstance(step.action, AgentDef)]
    return {" ".join(filter(None, (one.agent, one.model, one.tier))) for one in actions}


RULES = (
    on_single_agent,
    on_tiny_tasks,
    on_empty_patterns,
    on_graphs,
    on_first_of_many,
    on_mending,
    on_own_reviews,
)
