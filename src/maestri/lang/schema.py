"""The JSON Schema of a definition file, for editors: completion, hover texts and the plain mistakes.

Rule 1: it is made from the tables of `keys.py` and from the signatures of the patterns.
Rule 2: every definition without findings is valid; what only the checks can know (names, types, circles)
is not looked at here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from maestri.lang.keys import COMMON, INPUT_TYPES, RETRY, SAME_TYPE, VERBS, Key
from maestri.lang.read_phases import POLICIES
from maestri.lang.schema_properties import AGENTS, PROPERTY_DEFS, PROPERTY_FORMS
from maestri.patterns._registry import Option, PatternSpec

Schema: TypeAlias = dict[str, Any]

_NAME: Final = "^[A-Za-z][A-Za-z0-9_-]{0,63}$"
_DURATION: Final = r"^\s*(\d+(\.\d+)?\s*(ms|s|m|h|d))+\s*$"
_EXPRESSION: Final = r"\$\{"
_TEXT: Final[Schema] = {"type": ["string", "number", "boolean"]}  # `1.10` without quotes is a text, too
_COMMAND: Final[Schema] = {"type": ["string", "boolean"]}  # `true` is a program
_OUTPUT: Final[Schema] = {"description": "the output of this body; that of its last step without it"}
_SIGNAL: Final[Schema] = {**_TEXT, "description": "the name of the signal that is waited for"}
FILE_KEYS: Final = {
    "workflow": "the name of the workflow; that of the file without it",
    "version": "the version of the workflow, as you count it",
    "description": "what the workflow is for",
    "inputs": "the arguments of the workflow, by name",
    "steps": "what is done, in order: `name: step`",
    "output": "the output of the workflow; that of its last step without it",
    "workflows": "smaller workflows that `workflow:` can call by name",
    "timeout": "the longest time for the whole run",
    "agents": "agents of this file: a name, what answers for it, and its fixed options",
    "schemas": "JSON Schemas by name, for `returns`",
}
INPUT_KEYS: Final = {
    "type": "what it may be; anything without it",
    "required": "whether it must be given; true where there is no default",
    "default": "its value when it is not given",
    "description": "what it is for",
}


def schema(patterns: Mapping[str, PatternSpec]) -> Schema:
    """Return the JSON Schema (2020-12) of a definition file.

    Args:
        patterns: The patterns by keyword.
    """
    steps = {verb: _verb(verb) for verb in VERBS} | {word: _pattern(one) for word, one in patterns.items()}
    shared = {"workflows", "agents", "schemas"}
    inner = {key: value for key, value in _file().items() if key not in shared}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A workflow",
        **_object(_file(), ["steps"]),
        "$defs": {
            "name": {"type": "string", "pattern": _NAME},
            "duration": {"type": "string", "pattern": _DURATION},
            "condition": {"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": _EXPRESSION}]},
            "expression": {"type": "string", "pattern": _EXPRESSION},
            "retry": {"anyOf": [{"type": "integer", "minimum": 1}, _retry()]},
            "input": _input(),
            **PROPERTY_DEFS,
            "inner": _object(inner, ["steps"]),
            "steps": _by_name({"$ref": "#/$defs/step"}),
            "step": {"anyOf": [{"$ref": f"#/$defs/{word}-step"} for word in steps]},
            "single": {"anyOf": [{"$ref": f"#/$defs/{word}-step"} for word in steps if word != "steps"]},
            "body": {"anyOf": [_body({}), {"$ref": "#/$defs/single"}]},
            "phase": {"anyOf": [_body(_PHASE), {"$ref": "#/$defs/single"}]},
            "arm": {"anyOf": [_body({"when": _common()["when"]}), {"$ref": "#/$defs/single"}]},
            **{f"{word}-step": one for word, one in steps.items()},
        },
    }


# --- the parts of a file --------------------------------------------------------------------------


def _file() -> Schema:
    forms = {
        "workflow": {"$ref": "#/$defs/name"},
        "version": _TEXT,
        "description": _TEXT,
        "inputs": _by_name({"$ref": "#/$defs/input"}),
        "steps": {"$ref": "#/$defs/steps"},
        "output": {},
        "workflows": _by_name({"$ref": "#/$defs/inner"}),
        "timeout": {"$ref": "#/$defs/duration"},
        "agents": AGENTS,
        "schemas": _by_name({"type": ["object", "boolean"]}),
    }
    return {key: {**forms[key], "description": about} for key, about in FILE_KEYS.items()}


def _input() -> Schema:
    types: Schema = {"enum": [*INPUT_TYPES, *SAME_TYPE]}
    truth: Schema = {"type": "boolean"}
    forms: dict[str, Schema] = {"type": types, "required": truth, "default": {}, "description": _TEXT}
    keys = {key: {**forms[key], "description": about} for key, about in INPUT_KEYS.items()}
    return {"anyOf": [types, {"type": "null"}, _object(keys, [])]}


def _retry() -> Schema:
    keys: Schema = {}
    for key in RETRY:
        form = _FORMS[key.form](key)
        if key.name == "max":
            form = {"type": "integer", "minimum": 1}
        elif key.form == "value":
            form = {"type": "number"}
        keys[key.name] = {**form, "description": key.doc}
    return _object(keys, [key.name for key in RETRY if key.required])


def _object(keys: Schema, required: list[str]) -> Schema:
    return {"type": "object", "properties": keys, "required": required, "additionalProperties": False}


def _by_name(value: Schema) -> Schema:
    return {
        "type": "object",
        "propertyNames": {"$ref": "#/$defs/name"},
        "additionalProperties": value,
    }


def _several(value: Schema) -> Schema:
    return {**_by_name(value), "minProperties": 1}


def _body(more: Schema) -> Schema:
    steps = {"$ref": "#/$defs/steps", "description": "what is done, in order: `name: step`"}
    return _object({"steps": steps, "output": _OUTPUT, **more}, ["steps"])


# --- steps ----------------------------------------------------------------------------------------


def _verb(verb: str) -> Schema:
    keys = {key.name: {**_FORMS[key.form](key), "description": key.doc} for key in VERBS[verb]}
    required = [verb, *(key.name for key in VERBS[verb] if key.required)]
    return {"title": verb, **_object({**keys, **_common()}, required)}


def _common() -> Schema:
    return {key.name: {**_FORMS[key.form](key), "description": key.doc} for key in COMMON}


_TEXTS: Final[Schema] = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_CODES: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 255}

_DEFAULT: Final[Schema] = {"description": "the output when nothing came in time"}
_LATE: Final[Schema] = {
    "anyOf": [{"enum": ["fail", "skip"]}, _object({"default": _DEFAULT}, ["default"])],
    "description": "without an answer or signal in time: `fail`, `skip` or `{default: VALUE}`",
}
_LONGEST: Final[Schema] = {"$ref": "#/$defs/duration", "description": "how long it is waited for"}
_UNTIL: Final[Schema] = {"type": ["string", "number"], "description": "a point in time, as ISO 8601 says"}
_WAITS: Final = (
    _object({"signal": _SIGNAL, "timeout": _LONGEST, "on_timeout": _LATE}, ["signal"]),
    _object({"until": _UNTIL}, ["until"]),
)

_FORMS: Final[dict[str, Callable[[Key], Schema]]] = {
    "command": lambda _: {"anyOf": [_COMMAND, {"type": "array", "items": _TEXT, "minItems": 1}]},
    "text": lambda _: _TEXT,
    "template": lambda _: {"type": "string"},
    "list": lambda _: {"type": "array", "items": _TEXT},
    "value": lambda _: {},
    "texts": lambda _: {"type": "object", "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}},
    "integers": lambda _: {"anyOf": [_CODES, {"type": "array", "items": _CODES, "minItems": 1}]},
    "duration": lambda _: {"$ref": "#/$defs/duration"},
    "predicate": lambda _: {"$ref": "#/$defs/condition"},
    "names": lambda _: _TEXTS,
    "retry": lambda _: {"$ref": "#/$defs/retry"},
    "word": lambda key: {"enum": list(key.words)},
    "wait": lambda _: {"anyOf": [{"$ref": "#/$defs/duration"}, *_WAITS]},
    "late": lambda _: _LATE,
    "body": lambda _: {"$ref": "#/$defs/body"},
    **PROPERTY_FORMS,
}


# --- patterns -------------------------------------------------------------------------------------


def _pattern(spec: PatternSpec) -> Schema:
    """Return the form of a pattern step, laid out as the reader takes it (`read_patterns.py`)."""
    main = spec.option(spec.keyword)
    keys = {option.name: _described(option) for option in spec.options}
    required = [option.name for option in spec.options if option.required]
    if main is not None:
        beside = {"output": _OUTPUT} if main.kind == "body" else {}
        whole = _object({**keys, **beside, **_common()}, [*required])
        return {"title": spec.keyword, "description": spec.summary, **whole}
    if spec.spread is not None:
        inside = _option(spec.spread)
    else:
        body = spec.option("steps")
        output = {"output": _OUTPUT} if body is not None and body.kind == "body" else {}
        inside = _object({**keys, **output}, required)
    whole = _object({spec.keyword: {**inside, "description": spec.summary}, **_common()}, [spec.keyword])
    return {"title": spec.keyword, **whole}


def _described(option: Option) -> Schema:
    about = option.doc
    if not option.required and option.default is not None:
        about = f"{about} Default: {option.default}."
    return {**_option(option), "description": about}


def _option(option: Option) -> Schema:
    if option.kind == "scalar":
        return _scalar(option)
    if option.kind == "body":
        return {"$ref": "#/$defs/steps" if option.name == "steps" else "#/$defs/body"}
    return _KINDS[option.kind]


_KINDS: Final[dict[str, Schema]] = {
    "bodies": _several({"$ref": "#/$defs/body"}),
    "arms": _several({"$ref": "#/$defs/arm"}),
    "graph": {"$ref": "#/$defs/steps"},
    "undoable": {"$ref": "#/$defs/steps"},
    "phases": _several({"$ref": "#/$defs/phase"}),
    "streams": _several({"$ref": "#/$defs/body"}),
    "predicate": {"$ref": "#/$defs/condition"},
    "expression": {},
    "value": {},
    "items": {"anyOf": [{"type": "array"}, {"$ref": "#/$defs/expression"}]},
    "workflow": _TEXT,
    "seconds": {"$ref": "#/$defs/duration"},
    "command": _COMMAND,
}
_PHASE: Final[Schema] = {
    "validate": {
        "anyOf": [{"$ref": "#/$defs/condition"}, {"$ref": "#/$defs/body"}],
        "description": "what judges the phase: a condition or a body, which sees its `output`",
    },
    "on_invalid": {"enum": list(POLICIES), "description": "what becomes of a phase that does not pass"},
    "max_tries": {"type": "integer", "minimum": 1, "description": "how often it is done with `retry`"},
}
_SCALARS: Final[dict[type, Schema]] = {
    int: {"type": "integer", "minimum": 1},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    str: _TEXT,
}


def _scalar(option: Option) -> Schema:
    forms: list[Schema] = [{"enum": list(option.words)}] if option.words else []
    forms += [_SCALARS[kind] for kind in option.types]
    return {"anyOf": [*forms, {"$ref": "#/$defs/expression"}]}
