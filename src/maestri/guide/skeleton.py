"""The shortest use of a pattern, as YAML, derived from its signature."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from maestri.patterns._registry import Option, PatternSpec

_BODY: Final = "{run: echo done}"
_MANY: Final = {"a": _BODY, "b": _BODY}
_FORMS: Final[dict[str, dict[str, str]]] = {
    "bodies": _MANY,
    "streams": _MANY,
    "arms": {"a": "{when: '${inputs.size > 10}', run: echo done}", "b": _BODY},
    "graph": {**_MANY, "c": "{run: echo done, needs: [a, b]}"},
    "undoable": {"a": "{run: echo done, undo: {run: echo undone}}", "b": _BODY},
    "phases": {"a": "{steps: {work: {run: echo done}}, validate: \"${output == 'done'}\"}", "b": _BODY},
}
_VALUES: Final = {
    "body": _BODY,
    "expression": "${1 + 1}",
    "items": "[a, b]",
    "workflow": "other",
    "value": "what counts",
    "seconds": "10m",
}
_STEPS: Final = "steps"
_ENDS: Final = ("max_events", "until")  # without one of these nothing says when it is enough


def skeleton(spec: PatternSpec, name: str = "NAME") -> str:
    """Return a step that uses a pattern with what it requires, as lines of YAML."""
    return "\n".join([f"{name}:", *_lines(spec)])


def _lines(spec: PatternSpec) -> Iterator[str]:
    main = spec.option(spec.keyword)
    if main is not None:
        # Its one option stands where the keyword does: `steps:`, `workflow:`.
        yield from _option(main, "  ")
        return
    yield f"  {spec.keyword}:"
    shown = [option for option in spec.options if option.name in _ENDS][:1]
    shown += [option for option in spec.options if option.required]
    for option in spec.options:
        if option in (shown or spec.options[:1]):
            yield from _option(option, "    ", is_spread=option is spec.spread)


def _option(option: Option, pad: str, *, is_spread: bool = False) -> Iterator[str]:
    inside = _FORMS.get(option.kind)
    if option.name == _STEPS and option.kind == "body":
        inside = _MANY
    if inside is None:
        yield f"{pad}{option.name}: {_value(option)}"
        return
    if not is_spread:
        yield f"{pad}{option.name}:"
        pad += "  "
    yield from (f"{pad}{key}: {body}" for key, body in inside.items())


def _value(option: Option) -> str:
    if option.kind != "predicate":
        return _VALUES.get(option.kind, "1")
    counted = next((name for name in ("round", "count") if name in option.binds.names), "")
    return f"${{{counted} >= 2}}" if counted else "${output == 'done'}"
