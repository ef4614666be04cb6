"""Advice on steps in order: whether they need the order that they have, and what they repeat by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from maestri.guide.advice import Advice, Place, named, seen
from maestri.guide.uses import depths, groups, references, uses
from maestri.lang.model import AgentDef, BodyDef, Fixed, PatternDef, RunDef, StepDef, Templated

SEQUENTIAL = "sequential everything"
_CAVEAT = "unless they need each other's files, which a definition does not say"
_ALIKE = 3  # steps that must be alike before a list of them is worth it


def on_order(place: Place) -> Iterator[Advice]:
    """Say which steps wait for each other without need, or that the order is needed."""
    if place.body is None or len(place.body.steps) < 2:
        return
    steps = place.body.steps
    used = uses(steps)
    longest = max(depths(used)) + 1
    if longest == len(steps):
        yield _in_order(place.path, steps)
        return
    runs = groups(used)
    if len(runs) == longest:
        for run in runs:
            found = [steps[i] for i in run]
            if len(found) > 1 and not (len(found) >= _ALIKE and _is_repeated(found)):
                yield _side_by_side(place.path, found, len(found) == len(steps))
    else:
        yield _by_needs(place.path, steps, used, longest)


def _in_order(path: str, steps: Sequence[StepDef]) -> Advice:
    says = f"`steps` fits {named(steps)}" if len(steps) < 6 else f"`steps` fits the {len(steps)} steps"
    return Advice(
        "", "steps", path, says, "each of them needs what stands before it", tuple(map(seen, steps))
    )


def _side_by_side(path: str, steps: Sequence[StepDef], is_all: bool) -> Advice:
    whole = "all steps of it" if is_all and len(steps) > 5 else named(steps)
    lines = ["checks:", "  parallel:", "    branches:"]
    lines += [f"      {step.name}: {{{step.verb}: …}}" for step in steps]
    return Advice(
        SEQUENTIAL,
        "parallel",
        path,
        f"{whole} do not use each other's outputs",
        f"each waits for the one before it, {_CAVEAT}",
        tuple(map(seen, steps)),
        "make them the branches of a `parallel`",
        "\n".join(lines),
    )


def _by_needs(path: str, steps: Sequence[StepDef], used: Sequence[frozenset[int]], longest: int) -> Advice:
    lines = ["work:", "  graph:", "    steps:"]
    for i, step in enumerate(steps):
        direct = used[i] - {k for j in used[i] for k in used[j]}
        needs = ", ".join(steps[j].name for j in sorted(direct))
        lines.append(f"      {step.name}: {{{step.verb}: …" + (f", needs: [{needs}]" if needs else "") + "}")
    return Advice(
        SEQUENTIAL,
        "graph",
        path,
        f"of {len(steps)} steps in order only {longest} need to wait for each other",
        f"each waits for the one before it, {_CAVEAT}",
        tuple(map(seen, steps)),
        "make it a `graph` whose steps say what they need",
        "\n".join(lines),
    )


def on_repeated(place: Place) -> Iterator[Advice]:
    """Say which steps are the same but for one word."""
    for steps in _lists(place):
        for run in _alike_runs(steps):
            yield _repeated(place.path, run)


def _repeated(path: str, run: Sequence[StepDef]) -> Advice:
    items = ", ".join(_differing([_text(step).split() for step in run]))
    each = f"every:\n  each:\n    items: [{items}]\n    as: one\n"
    return Advice(
        "the same by hand",
        "each",
        path,
        f"{named(run)} differ in one word only: {items}",
        "what changes in one of them must be changed in all",
        tuple(map(seen, run)),
        "make it one body of an `each` over that list",
        each
        + ('    steps: {run: …, env: {ONE: "${one}"}}' if run[0].verb == "run" else "    steps: {agent: …}"),
    )


def _lists(place: Place) -> Iterator[Sequence[StepDef]]:
    """Yield the steps that stand beside each other: those of a body, and the branches that are one step."""
    if place.body is not None:
        yield place.body.steps
    elif place.step is not None and isinstance(place.step.action, PatternDef):
        branches = place.step.action.options.get("branches") if place.step.verb == "parallel" else None
        yield [
            body.steps[0]._replace(name=name)
            for name, body in (branches.items() if isinstance(branches, Mapping) else ())
            if isinstance(body, BodyDef) and body.is_single and body.steps
        ]


def _alike_runs(steps: Sequence[StepDef]) -> Iterator[list[StepDef]]:
    run: list[StepDef] = []
    for step in steps:
        if run and _is_repeated([*run, step]):
            run.append(step)
            continue
        if len(run) >= _ALIKE:
            yield run
        run = [step]
    if len(run) >= _ALIKE:
        yield run


def _is_repeated(steps: Sequence[StepDef]) -> bool:
    """Tell whether steps have the same verb, and texts that differ in the same one word."""
    texts = [_text(step).split() for step in steps]
    is_same = len({(step.verb, len(text)) for step, text in zip(steps, texts, strict=True)}) == 1
    return is_same and len(texts[0]) > 1 and bool(_differing(texts))


def _differing(texts: Sequence[Sequence[str]]) -> list[str]:
    """Return the one word that each text has for itself; nothing if there are more or fewer places."""
    columns = [column for column in zip(*texts, strict=True) if len(set(column)) > 1]
    return list(columns[0]) if len(columns) == 1 and len(set(columns[0])) == len(texts) else []


def _text(step: StepDef) -> str:
    action = step.action
    if isinstance(action, RunDef):
        return action.command if isinstance(action.command, str) else ""
    if isinstance(action, AgentDef) and isinstance(action.prompt, Fixed | Templated):
        prompt = action.prompt
        return prompt.scalar.text if isinstance(prompt, Templated) else str(prompt.value)
    return ""


def on_choices(place: Place) -> Iterator[Advice]:
    """Say which steps look at the same value to decide whether they are the one."""
    steps = () if place.body is None else place.body.steps
    run: list[StepDef] = []
    for step in (*steps, None):
        key = "" if step is None else _compared(step)
        if run and (step is None or key != _compared(run[0])):
            if len(run) > 1:
                yield _choice(place.path, run)
            run = []
        if step is not None and key:
            run.append(step)


def _condition(step: StepDef) -> str:
    """Return the text of a `when` as it is written in braces."""
    if step.when is None or not isinstance(step.when.value, Templated):
        return ""
    text = step.when.value.scalar.text
    return f"'{text}'" if '"' in text else f'"{text}"'


def _compared(step: StepDef) -> str:
    """Return what a `when` of the form `x == constant` compares."""
    if step.when is None or not isinstance(step.when.value, Templated):
        return ""
    found = re.fullmatch(
        r"\$\{\s*([\w.-]+)\s*==\s*(?:'[^']*'|\"[^\"]*\"|[\w.]+)\s*\}", step.when.value.scalar.text
    )
    return found[1] if found else ""


def _choice(path: str, steps: Sequence[StepDef]) -> Advice:
    key = _compared(steps[0])
    lines = ["choice:", "  branch:"]
    lines += [f"    {step.name}: {{when: {_condition(step)}, {step.verb}: …}}" for step in steps]
    return Advice(
        "a choice by hand",
        "branch",
        path,
        f"{named(steps)} each compare `{key}`, and one of them at most will run",
        "nothing says that one is chosen, and the rest of the values is not thought of",
        tuple(map(seen, steps)),
        "make them the arms of a `branch`, the last one without `when`",
        "\n".join(lines),
    )


def on_turns(place: Place) -> Iterator[Advice]:
    """Say which steps are rounds of draft and review, written one after the other."""
    steps = () if place.body is None else place.body.steps
    run: list[StepDef] = []
    for step in steps:
        if run and not _takes_turn(run, step):
            yield from _turns(place.path, run)
            run = run[-1:] if _uses(step, run[-1]) else []
        if isinstance(step.action, AgentDef):
            run.append(step)
    yield from _turns(place.path, run)


def _takes_turn(run: Sequence[StepDef], step: StepDef) -> bool:
    if not isinstance(step.action, AgentDef) or not _uses(step, run[-1]):
        return False
    agents = [one.action.agent for one in run if isinstance(one.action, AgentDef)]
    return agents[-1] != step.action.agent and (len(agents) < 2 or agents[-2] == step.action.agent)


def _uses(step: StepDef, other: StepDef) -> bool:
    return any(one[0] == other.name for one in references(step))


def _turns(path: str, run: Sequence[StepDef]) -> Iterator[Advice]:
    if len(run) < _ALIKE or not all(_uses(later, before) for before, later in pairwise(run)):
        return
    draft, review = run[0], run[1]
    yield Advice(
        "rounds by hand",
        "refine",
        path,
        f"{named(run)} take turns: each takes up what the one before it said",
        "the number of rounds is fixed, and goes on where the first draft was good enough",
        tuple(map(seen, run)),
        "make it a `refine`, which stops when the review accepts and keeps the best draft",
        f"text:\n  refine:\n    draft: {{agent: {draft.action.agent}, prompt: …}}\n"  # type: ignore[union-attr]
        f"    review: {{agent: {review.action.agent}, prompt: …}}\n    until: ${{review.approved}}",  # type: ignore[union-attr]
    )


RULES = (on_order, on_repeated, on_choices, on_turns)
