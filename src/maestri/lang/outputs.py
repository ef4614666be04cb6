"""What is known of the output of a step before it has run.

Rule 1: only what is certain; everything else is `ANY`, which fits everywhere.
Rule 2: a type that is kept is bounded in size, so that outputs of outputs cannot grow without end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from maestri.lang.expressions.types import ANY, BOOLEAN, LIST, MAPPING, NULL, NUMBER, TEXT, Type, either
from maestri.lang.inputs import InputDef
from maestri.lang.model import Fixed, OptionDef, PatternDef, RunDef, StepDef, SyncDef
from maestri.values import Json, plain_type

MAX_PARTS: Final = 300  # of one type; one that has more is known by its kind alone
MAX_DEPTH: Final = 20

RUN: Final[dict[str, Type]] = {
    "text": TEXT,
    "lines": Type("list", item=TEXT),
    "json": ANY,
    "jsonl": LIST,
    "result": Type("mapping", fields={"exit_code": NUMBER, "stdout": TEXT, "stderr": TEXT}, closed=True),
}
_INPUTS: Final = {
    "text": TEXT,
    "path": TEXT,
    "number": NUMBER,
    "integer": NUMBER,
    "boolean": Type("boolean"),
    "list": LIST,
    "mapping": MAPPING,
}

TRUTH: Final = Type("boolean")
_BY_NAME: Final = frozenset({"parallel", "graph", "phases", "streams"})

# What the options of a pattern have given: a type for a body, types by name for several.
Given: TypeAlias = Mapping[str, "Type | Mapping[str, Type]"]


def bounded(found: Type) -> Type:
    """Return a type, or its kind alone where it has too many parts or is too deep."""
    parts = 0
    waiting = [(found, 0)]
    while waiting:
        one, depth = waiting.pop()
        parts += 1
        if parts > MAX_PARTS or depth > MAX_DEPTH:
            return Type(found.kind)
        if one.item is not None:
            waiting.append((one.item, depth + 1))
        if one.fields is not None:
            if parts + len(one.fields) > MAX_PARTS:
                return Type(found.kind)
            waiting.extend((field, depth + 1) for field in one.fields.values())
    return found


def by_name(fields: Mapping[str, Type]) -> Type:
    """Return the type of a mapping that has exactly these fields; of too many only the names."""
    made = bounded(Type("mapping", fields=dict(fields), closed=True))
    if made.fields is not None:
        return made
    return Type("mapping", fields=dict.fromkeys(fields, ANY), closed=True)


def of_value(value: Json) -> Type:
    """Return the type of a constant."""
    return Type(plain_type(value))


def of_input(one: InputDef) -> Type:
    """Return the type of an input; one that may be absent is null then."""
    if not one.required and one.default is None:
        return ANY
    return _INPUTS.get(one.type, ANY)


def may_be_null(found: Type) -> Type:
    """Return the type of what may also be null."""
    return either((found, NULL))


def of_action(step: StepDef, meetings: Mapping[str, Type] | None = None) -> Type:
    """Return the type of what a verb gives; `meetings` are those of the sync points around it."""
    action = step.action
    if isinstance(action, SyncDef):
        return (meetings or {}).get(action.point, MAPPING)
    if isinstance(action, RunDef):
        return RUN.get(action.output or "text", ANY)
    return ANY


def of_pattern(action: PatternDef, given: Given) -> Type:
    """Return the type of what a pattern gives, from the types of its bodies."""
    rule = _PATTERNS.get(action.spec.keyword)
    return ANY if rule is None else rule(action.options, given)


def is_by_name(action: PatternDef) -> bool:
    """Tell whether the output of a pattern has the outputs of its parts by their names."""
    return action.spec.keyword in _BY_NAME and "integrate" not in action.options


def may_lack(action: PatternDef) -> bool:
    """Tell whether a `parallel` may end before all its branches, so that some have no output."""
    branches, join = action.options.get("branches"), action.options.get("join")
    if action.spec.keyword != "parallel" or not isinstance(branches, dict) or not isinstance(join, Fixed):
        return False
    return join.value == "any" or (type(join.value) is int and join.value < len(branches))


def _one(given: Given, name: str) -> Type:
    found = given.get(name)
    return found if isinstance(found, Type) else ANY


def _several(given: Given, name: str) -> Mapping[str, Type]:
    found = given.get(name)
    return {} if found is None or isinstance(found, Type) else found


def _is_settled(options: Mapping[str, OptionDef], default: str) -> bool:
    """Tell whether failures may be among the outputs; what an expression decides may be so."""
    join = options.get("join")
    if join is None:
        return default == "settled"
    return not isinstance(join, Fixed) or join.value == "settled"


def _parallel(options: Mapping[str, OptionDef], given: Given) -> Type:
    branches = _several(given, "branches")
    if _is_settled(options, "all"):
        return by_name(dict.fromkeys(branches, ANY))
    return by_name(branches)


def _graph(_options: Mapping[str, OptionDef], given: Given) -> Type:
    return by_name(_several(given, "steps"))


def _each(options: Mapping[str, OptionDef], given: Given) -> Type:
    if "reduce" in options:
        return _one(given, "reduce")
    return results(options, given)


def results(options: Mapping[str, OptionDef], given: Given) -> Type:
    """Return the type of the results of an `each`, before they are reduced."""
    return LIST if _is_settled(options, "settled") else bounded(Type("list", item=_one(given, "steps")))


def _loop(options: Mapping[str, OptionDef], given: Given) -> Type:
    body = _one(given, "steps")
    if "while" not in options:
        return body
    return either((body, _one(given, "start") if "start" in options else NULL))


def _branch(options: Mapping[str, OptionDef], given: Given) -> Type:
    arms = _several(given, "arms")
    defined = options.get("arms")
    has_otherwise = isinstance(defined, dict) and any(
        getattr(arm, "when", None) is None for arm in defined.values()
    )
    return either(arms.values()) if has_otherwise else may_be_null(either(arms.values()))


def _phases(_options: Mapping[str, OptionDef], given: Given) -> Type:
    return by_name(_several(given, "bodies"))


def _streams(options: Mapping[str, OptionDef], given: Given) -> Type:
    return _one(given, "integrate") if "integrate" in options else by_name(_several(given, "branches"))


def _review(_options: Mapping[str, OptionDef], given: Given) -> Type:
    verdicts = by_name(dict.fromkeys(_several(given, "reviewers"), MAPPING))
    return by_name(
        {"work": _one(given, "primary"), "approved": TRUTH, "rounds": NUMBER, "verdicts": verdicts}
    )


def _scout(_options: Mapping[str, OptionDef], given: Given) -> Type:
    findings = by_name(dict.fromkeys(_several(given, "scouts"), ANY))
    return by_name({"findings": findings, "decision": ANY, "built": MAPPING})


def _body(_options: Mapping[str, OptionDef], given: Given) -> Type:
    return _one(given, "steps")


def _workflow(_options: Mapping[str, OptionDef], given: Given) -> Type:
    return _one(given, "workflow")


def _one_of(_options: Mapping[str, OptionDef], given: Given) -> Type:
    return either(_several(given, "branches").values())


def _refine(_options: Mapping[str, OptionDef], given: Given) -> Type:
    return _one(given, "draft")


_FILES: Final = dict.fromkeys(("added", "changed", "deleted"), Type("list", item=TEXT))


def _repair(_options: Mapping[str, OptionDef], given: Given) -> Type:
    return Type("mapping", fields={"rounds": NUMBER, "output": _one(given, "check"), **_FILES})


def _compete(options: Mapping[str, OptionDef], given: Given) -> Type:
    answers = either(_several(given, "branches").values())
    known = {"winner": TEXT, "output": answers, "ranking": ANY, "reason": ANY}
    files = {**_FILES, "archived": MAPPING} if "dir" in options else {}
    return by_name({**known, "failed": MAPPING, "price": MAPPING, **files})


def _route(options: Mapping[str, OptionDef], given: Given) -> Type:
    otherwise = (_one(given, "otherwise"),) if "otherwise" in options else ()
    return either((*_several(given, "handlers").values(), *otherwise))


def _on(_options: Mapping[str, OptionDef], _given: Given) -> Type:
    return by_name({"count": NUMBER, "unhandled": NUMBER, "results": Type("list", item=MAPPING)})


def _supervise(_options: Mapping[str, OptionDef], _given: Given) -> Type:
    return by_name({"result": ANY, "rounds": NUMBER, "delegations": NUMBER})


def _land(_options: Mapping[str, OptionDef], _given: Given) -> Type:
    texts = Type("list", item=TEXT)
    left_out = by_name({"branch": TEXT, "kind": TEXT, "reason": TEXT, "files": ANY, "others": ANY})
    lists = {"landed": texts, "contained": texts, "order": texts, "notes": texts, "squashed": ANY}
    words = {"commit": TEXT, "into": TEXT, "base": TEXT, "mode": TEXT, "dry_run": BOOLEAN}
    rest = dict.fromkeys(("branches", "resolved", "forecast", "verified", "proof"), ANY)
    return by_name({**words, **lists, "left_out": Type("list", item=left_out), **rest})


_PATTERNS: Final[dict[str, Callable[[Mapping[str, OptionDef], Given], Type]]] = {
    "parallel": _parallel,
    "graph": _graph,
    "each": _each,
    "loop": _loop,
    "branch": _branch,
    "steps": _body,
    "workflow": _workflow,
    "fallback": _one_of,
    "race": _one_of,
    "vote": _one_of,
    "refine": _refine,
    "repair": _repair,
    "compete": _compete,
    "saga": _body,
    "phases": _phases,
    "streams": _streams,
    "review": _review,
    "scout": _scout,
    "route": _route,
    "on": _on,
    "supervise": _supervise,
    "land": _land,
}
