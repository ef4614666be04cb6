"""Finds what an edit has changed in a definition, for the message that refuses to resume it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from maestri.lang.model import BodyDef, PatternDef, StepDef, WorkflowDef

NAMED: Final = 5
_PLURALS: Final = {"another one now": "other ones now"}
# What a workflow has beside its steps, by the field of the model and as it is called in YAML.
_AROUND: Final = {
    "name": "workflow",
    "inputs": "inputs",
    "output": "output",
    "timeout_s": "timeout",
    "version": "version",
}


class Opens(Protocol):
    """Reads definitions from given texts."""

    def of_texts(self, texts: dict[str, str]) -> Any:
        """Return a library that reads these texts in place of files."""
        ...


def changes(library: Opens, path: str, before: str, now: str) -> str:
    """Return in words the steps that two texts of a file do not have in common, the first few of them."""
    old, _ = library.of_texts({path: before}).open(path, path)
    new, findings = library.of_texts({path: now}).open(path, path)
    if new is None or old is None:
        return findings[0].message if findings else "it cannot be read any more"
    olds, news = _steps(old), _steps(new)
    found = [(step, "another one now") for step, text in olds.items() if news.get(step, text) != text]
    found += [(step, "gone") for step in _topmost(olds, news)]
    found += [(step, "new") for step in _topmost(news, olds)]
    return _in_words(found) if found else _beside(old, new)


def _beside(old: WorkflowDef, new: WorkflowDef) -> str:
    """Return what two definitions with the same steps do not have in common."""
    pairs = [("", old, new)]
    pairs += [(f"workflows.{name}.", old.workflows[name], new.workflows[name]) for name in old.workflows]
    found = [
        f"`{place}{word}`"
        for place, one, other in pairs
        for field, word in _AROUND.items()
        if _bare(getattr(one, field)) != _bare(getattr(other, field))
    ]
    if not found:
        return "its steps are the same; comments, descriptions or the layout have changed"
    return f"its steps are the same; {', '.join(found[:NAMED])} {'is' if len(found) == 1 else 'are'} not"


def _in_words(found: Sequence[tuple[str, str]]) -> str:
    """Return steps, each with what became of it, as a sentence that names a few of them."""
    kinds = dict.fromkeys(kind for _, kind in found[:NAMED])
    parts = []
    for kind in kinds:
        named = [f"`{step}`" for step, its in found[:NAMED] if its == kind]
        one = f"the step {named[0]} is {kind}"
        parts.append(one if len(named) == 1 else f"{', '.join(named)} are {_PLURALS.get(kind, kind)}")
    more = len(found) - NAMED
    return "; ".join(parts) + (f"; and {more} more" if more > 0 else "")


def _topmost(ones: Mapping[str, str], others: Mapping[str, str]) -> list[str]:
    """Return the steps that only the first of two definitions has, without what lies inside of another."""
    found: list[str] = []
    for step in ones:
        if step not in others and not any(step.startswith(f"{above}/") for above in found):
            found.append(step)
    return found


def _steps(definition: WorkflowDef) -> dict[str, str]:
    """Return every step by its place, as runs name it but for items and rounds, with what it says."""
    found: dict[str, str] = {}
    _collect(definition.steps, "", found)
    for name, inner in definition.workflows.items():
        _collect(inner.steps, f"workflows.{name}", found)
    return found


def _collect(part: Any, place: str, found: dict[str, str]) -> None:
    if isinstance(part, StepDef):
        found[place] = _bare([part.verb, part.action, part.policy, part.when, part.needs])
        _collect(part.action, place, found)
        _collect(part.undo, f"{place}/undo", found)
    elif isinstance(part, BodyDef):
        for step in part.steps:  # the one step of a named body goes by the name of the body
            _collect(step, place if part.is_single else f"{place}/{step.name}", found)
    elif isinstance(part, PatternDef):
        for option, inner in part.options.items():
            is_named = option != "steps" and not isinstance(inner, Mapping)
            _collect(inner, f"{place}/{option}" if is_named else place, found)
    elif isinstance(part, Mapping):
        for name, inner in part.items():
            _collect(inner, f"{place}/{name}", found)
    elif isinstance(part, tuple):
        for inner in part:
            inside = f"{place}/{inner.name}" if isinstance(inner, StepDef) else place
            _collect(inner, inside, found)


_PLACES = frozenset({"span", "verb_span", "start", "end", "spec", "keys"})


def _bare(part: Any) -> str:
    """Return a part of the model as text: places and the steps inside are left out."""
    if isinstance(part, StepDef):
        return ""
    if isinstance(part, BodyDef):
        return f"Body({_bare(part.output)})"
    if isinstance(part, Mapping):
        return "{" + ",".join(f"{key}:{_bare(value)}" for key, value in part.items()) + "}"
    if hasattr(part, "_asdict"):
        fields = {key: value for key, value in part._asdict().items() if key not in _PLACES}
        return type(part).__name__ + _bare(fields)
    if isinstance(part, list | tuple):
        return "[" + ",".join(_bare(item) for item in part) + "]"
    return repr(part)
