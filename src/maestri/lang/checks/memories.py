"""What is read of `memory` was written before, by steps that do not write it at once."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.expressions.references import Reference
from maestri.lang.model import PatternDef, Templated
from maestri.lang.scopes import MEMORY, View
from maestri.lang.source import suggest
from maestri.lang.survey import Placed, Use

CODE = "L274"


def check_memories(subject: Subject) -> None:
    """Add each value that nobody has written where it is read, and each that is written twice at once."""
    writers: dict[str, list[Placed]] = {}
    for placed in subject.survey.steps:
        own = placed.step.properties
        for name, _ in () if own is None or own.memory is None else own.memory.entries:
            writers.setdefault(name, []).append(placed)
    if not writers:
        return  # then `memory` is a name like any other
    for use in subject.survey.uses:
        for reference in use.value.template.references() if isinstance(use.value, Templated) else ():
            if reference.name == MEMORY and _is_shared(use.view):
                _check_read(subject, use, reference, writers)
    for name, several in writers.items():
        _check_written(subject, name, several)


def _is_shared(view: View) -> bool:
    """Tell whether `memory` means the shared values here, and not a step of that name."""
    found = view.find(MEMORY)
    return found is not None and found.outer is None and found.level.kind == "bound"


def _check_read(subject: Subject, use: Use, reference: Reference, writers: dict[str, list[Placed]]) -> None:
    name = reference.path[0] if reference.path else None
    if not isinstance(name, str) or not isinstance(use.value, Templated):
        return
    if any(is_before(one.view, use.view) for one in writers.get(name, ())):
        return
    message = f"nobody has written `memory.{name[:80]}` here"
    cause = "a step sees what the steps before it have written: not those beside it, nor those further down"
    others = [name_of(one) for one in writers.get(name, ())]
    fix = f"put this behind `{others[0]}`, which writes it" if others else suggest(name, list(writers))
    subject.findings.inside(
        use.value.scalar, reference.start, reference.end, CODE, message, cause=cause, fix=fix
    )


def name_of(placed: Placed) -> str:
    """Return the name of a step, or of the branch that it is."""
    named = (view.level.name_at(view.position) for view in placed.view.around() if view.level.kind != "bound")
    return next((name for name in named if name), placed.step.name)


def is_before(writer: View, reader: View) -> bool:
    """Tell whether what stands at one place is done before what stands at another begins."""
    places = {id(view.level): view for view in reader.around()}
    for view in writer.around():
        other = places.get(id(view.level))
        if other is not None and view.level.kind in {"body", "graph"}:
            name = view.level.name_at(view.position)
            return bool(name) and view.level.shows(name, other.position)
    return False


def _check_written(subject: Subject, name: str, writers: list[Placed]) -> None:
    for number, one in enumerate(writers):
        before = writers[:number]
        at_once = next((two for two in before if not _in_order(one.view, two.view)), None)
        if at_once is not None:
            _add_twice(subject, name, one, f"`{name_of(at_once)}` writes it, too, and may run at once")
        elif _is_repeated(subject, one):
            _add_twice(subject, name, one, "an `each` does this step for many items at once")


def _in_order(one: View, two: View) -> bool:
    return is_before(one, two) or is_before(two, one) or _are_arms(one, two)


def _are_arms(one: View, two: View) -> bool:
    levels = {id(view.level) for view in two.around() if view.level.kind == "arms"}
    return any(id(view.level) in levels for view in one.around())


def _is_repeated(subject: Subject, placed: Placed) -> bool:
    """Tell whether a step stands in the body of an `each`, whose items run at once."""
    for other in subject.survey.steps:
        action = other.step.action
        if isinstance(action, PatternDef) and action.spec.keyword == "each":
            place = (id(other.view.level), other.view.position)
            inner = [v for v in placed.view.around() if v.outer is not None and _place(v.outer) == place]
            if any("results" not in view.level.order for view in inner):
                return True
    return False


def _place(view: View) -> tuple[int, int]:
    return id(view.level), view.position


def _add_twice(subject: Subject, name: str, placed: Placed, cause: str) -> None:
    own = placed.step.properties
    if own is not None:
        message = f"which value of `memory.{name[:80]}` counts would be chance"
        fix = "give it another name here, or hand it out through the output"
        subject.findings.add(CODE, message, own.keys["memory"], cause=cause, fix=fix)
