"""Finds what an edit has changed in a definition, for the message that refuses to resume it."""

from __future__ import annotations

from typing import Any, Protocol

from maestri.lang.model import BodyDef, StepDef, WorkflowDef


class Opens(Protocol):
    """Reads definitions from given texts."""

    def of_texts(self, texts: dict[str, str]) -> Any:
        """Return a library that reads these texts in place of files."""
        ...


def first_change(library: Opens, path: str, before: str, now: str) -> str:
    """Return in words the first step that two texts of a file do not have in common."""
    old, _ = library.of_texts({path: before}).open(path, path)
    new, findings = library.of_texts({path: now}).open(path, path)
    if new is None or old is None:
        return findings[0].message if findings else "it cannot be read any more"
    olds, news = _steps(old), _steps(new)
    for step, text in olds.items():
        if step not in news:
            return f"the step `{step}` is gone"
        if news[step] != text:
            return f"the step `{step}` is another one now"
    for step in news:
        if step not in olds:
            return f"the step `{step}` is new"
    return "its steps are the same; something around them has changed"


def _steps(definition: WorkflowDef) -> dict[str, str]:
    """Return every step by its place, with what it says, free of positions."""
    found: dict[str, str] = {}
    _collect(definition.steps, "", found)
    for name, inner in definition.workflows.items():
        _collect(inner.steps, f"workflows.{name}", found)
    return found


def _collect(part: Any, place: str, found: dict[str, str]) -> None:
    if isinstance(part, StepDef):
        inside = f"{place}/{part.name}"
        found[inside] = _bare([part.verb, part.action, part.policy, part.when, part.needs])
        _collect(part.action, inside, found)
    elif isinstance(part, BodyDef):
        for step in part.steps:
            _collect(step, place, found)
    elif isinstance(part, dict):
        for name, inner in part.items():
            _collect(inner, f"{place}/{name}", found)
    elif isinstance(part, tuple):
        for inner in part:
            _collect(inner, place, found)


_PLACES = frozenset({"span", "verb_span", "start", "end", "spec"})


def _bare(part: Any) -> str:
    """Return a part of the model as text: places and the steps inside are left out."""
    if isinstance(part, BodyDef | StepDef):
        return type(part).__name__
    if isinstance(part, dict):
        return "{" + ",".join(f"{key}:{_bare(value)}" for key, value in part.items()) + "}"
    if hasattr(part, "_asdict"):
        fields = {key: value for key, value in part._asdict().items() if key not in _PLACES}
        return type(part).__name__ + _bare(fields)
    if isinstance(part, list | tuple):
        return "[" + ",".join(_bare(item) for item in part) + "]"
    return repr(part)
