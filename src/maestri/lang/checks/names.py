"""Every name in every expression is one that is seen from where it stands."""

from __future__ import annotations

from maestri.errors import Span
from maestri.lang.checks.subject import Subject
from maestri.lang.expressions.references import Reference, subtraction_hint
from maestri.lang.model import Templated
from maestri.lang.scopes import View
from maestri.lang.source import suggest
from maestri.lang.survey import Link, Use

UNKNOWN = "L210"
NOT_YET = "L211"


def check_names(subject: Subject) -> None:
    """Add each name that is not seen, with the reason."""
    unknown: set[tuple[Span, int]] = set()  # by an alias, one place can stand for thousands
    for use in subject.survey.uses:
        if isinstance(use.value, Templated):
            for reference in use.value.template.references():
                if not use.view.sees(reference.name) and not subject.findings.is_full():
                    _add(subject, use, use.value, reference, unknown)


def _add(
    subject: Subject, use: Use, value: Templated, reference: Reference, unknown: set[tuple[Span, int]]
) -> None:
    name, view = reference.name, use.view
    end = reference.start + len(name)
    hidden = view.hidden(name)
    if hidden is not None:
        message, cause, fix = _not_yet(name, hidden)
        subject.findings.inside(value.scalar, reference.start, end, NOT_YET, message, cause=cause, fix=fix)
    elif name not in subject.definition.unread and (value.span, reference.start) not in unknown:
        unknown.add((value.span, reference.start))
        cause, fix = _before_rounds(subject, use, name) or _elsewhere(subject, name, view)
        message = f"nothing is called `{name}` here"
        subject.findings.inside(value.scalar, reference.start, end, UNKNOWN, message, cause=cause, fix=fix)


def _not_yet(name: str, hidden: View) -> tuple[str, str, str]:
    """Return message, cause and fix for a step that is there, but not seen."""
    level, own = hidden.level, hidden.level.name_at(hidden.position)
    if name == own:
        return (
            f"`{name}` cannot see its own output",
            "it is still running here",
            "use an earlier step; in a `loop`, the output of the round before is `last`",
        )
    if level.kind == "branches":
        fix = f"use a `graph` where `{own}` has `needs: [{name}]`, or put it behind the whole step"
        return f"`{own}` does not see `{name}`", "branches run side by side", fix
    if level.kind == "arms":
        fix = "put what both need before the `branch`"
        return f"`{own}` does not see `{name}`", "only one arm of a `branch` runs", fix
    if level.kind == "graph":
        if level.shows(own, level.order[name]):
            return f"`{name}` runs after `{own}`", f"`{name}` needs `{own}`", "turn the need round"
        fix = f"add `needs: [{name}]` to `{own}`"
        return f"`{name}` may not have run yet", f"`{own}` does not need `{name}`", fix
    return f"`{name}` has not run yet", "it stands further down", f"move `{own}` behind `{name}`"


def _before_rounds(subject: Subject, use: Use, name: str) -> tuple[str, str] | None:
    """Return cause and fix for a step of a loop's body in the `while` of that loop."""
    own = use.view.outer.level.name_at(use.view.outer.position) if use.view.outer is not None else ""
    trails = subject.survey.inside.get(name, [])
    if use.what != "`while`" or not any(trail and trail[-1].name == own for trail in trails):
        return None
    cause = f"`while` is judged before a round, and so before `{name}`"
    return cause, "use `last`, the output of the round before; or take `until`, which is judged after a round"


def _elsewhere(subject: Subject, name: str, view: View) -> tuple[str, str]:
    """Return cause and fix for a name that no level around here has."""
    for trail in subject.survey.inside.get(name, []):
        for place in range(len(trail) - 1, -1, -1):
            if view.sees(trail[place].name):
                return _within(name, trail[place:])
    outer = subject.definition if subject.outer is None else subject.outer
    if outer is not subject.definition and any(step.name == name for step in outer.steps.steps):
        cause = f"`{name}` is a step of `{outer.name}`; a workflow sees its own inputs and steps only"
        return cause, f'declare an input, and hand it over: `inputs: {{{name}: "${{{name}}}"}}`'
    fix = subtraction_hint(name, view.sees) or suggest(name, view.names())
    cause = "a name is that of an earlier step, `inputs`, or what a pattern around this place binds"
    return cause, fix or "use the name of an earlier step"


def _within(name: str, trail: tuple[Link, ...]) -> tuple[str, str]:
    """Return cause and fix for a name inside a closed scope that is seen itself."""
    outer = trail[0].name
    if all(link.by_name for link in trail):
        path = "".join(f".{part}" if part.isidentifier() else f'["{part}"]' for part in _parts(trail, name))
        return f"`{name}` is inside `{outer}`", f"write `{outer}{path}`"
    cause = f"`{name}` is inside `{outer}`, which is seen through its output only"
    return cause, f"hand it out with an `output:` in `{outer}`"


def _parts(trail: tuple[Link, ...], name: str) -> list[str]:
    return [*(link.name for link in trail[1:]), name]
