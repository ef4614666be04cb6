"""The JSON Schema of the properties that few steps have, and of the agents of a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from maestri.kernel.isolation import MINIMUMS, PROFILES
from maestri.lang.keys import AGENT_KEYS, BACKENDS, OUTPUT_FORMATS, TIERS, Key

Schema: TypeAlias = dict[str, Any]

_TEXT: Final[Schema] = {"type": ["string", "number", "boolean"]}
_TEXTS: Final[Schema] = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_DURATION: Final[Schema] = {"$ref": "#/$defs/duration"}
_COMMAND: Final[Schema] = {
    "anyOf": [{"type": ["string", "boolean"]}, {"type": "array", "items": _TEXT, "minItems": 1}]
}


def _said(form: Schema, about: str) -> Schema:
    return {**form, "description": about}


def _closed(keys: Schema, required: list[str]) -> Schema:
    return {"type": "object", "properties": keys, "required": required, "additionalProperties": False}


_RUN: Final[Schema] = _closed(
    {
        "run": _said(_COMMAND, "a command that must end well"),
        "env": _said({"type": "object"}, "environment variables; values reach the command through them"),
        "stdin": _said({}, "what the command reads"),
        "cwd": _said({"type": "string"}, "the folder to run in"),
        "ok": _said(
            {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]},
            "the exit codes that pass; [0] without it",
        ),
    },
    ["run"],
)
_CHECK: Final[list[Schema]] = [{"type": ["string", "boolean"]}, _RUN]
_NAMED: Final[Schema] = {"anyOf": [{"type": "object"}, {"type": "array", "items": _TEXT}]}
_ESTIMATE: Final[Schema] = _closed(
    {
        "tokens": _said({"type": ["integer", "string"]}, "how many tokens: `150k`"),
        "duration": _said(_DURATION, "how long it takes: `2h`"),
        "usd": _said({"type": "number", "minimum": 0}, "what it costs, in US dollars"),
    },
    [],
)

_SIZE: Final[Schema] = {"type": ["integer", "string"]}
_SANDBOX: Final[Schema] = _closed(
    {
        "profile": _said({"enum": list(PROFILES)}, "`code`: no network; `agent`: a vendor's program"),
        "minimum": _said({"enum": list(MINIMUMS)}, "how strong it must be at least; `strong` without it"),
        "limits": _said(
            _closed(
                {
                    "cpu": _said(_DURATION, "processor time of all its processes together"),
                    "memory": _said(_SIZE, "memory of all its processes together: `500MB`"),
                    "processes": _said({"type": "integer", "minimum": 1}, "how many processes at once"),
                    "disk": _said(_SIZE, "what it may write: `2GB`"),
                    "wall": _said(_DURATION, "how long one attempt may take"),
                },
                [],
            ),
            "what all its processes together may use",
        ),
        "read": _said(_TEXTS, "folders that it sees beside its own, such as `~/.cargo`"),
        "write": _said(_TEXTS, "folders that it may write to beside its own"),
    },
    [],
)

# What `$ref` of the forms below names.
PROPERTY_DEFS: Final[Schema] = {
    "files": _TEXTS,
    "check": {"anyOf": [*_CHECK, _COMMAND["anyOf"][1]]},
    "checks": {
        "anyOf": [*_CHECK, {"type": "array", "items": {"$ref": "#/$defs/check"}, "minItems": 1}],
    },
    "checklist": {
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/check"},
        "minProperties": 1,
    },
    "schema": {"anyOf": [{"type": "object"}, {"$ref": "#/$defs/name"}]},
    "count": {"type": "integer", "minimum": 0, "maximum": 10},
    "values": _NAMED,
    "memory": _closed({"write": _said(_NAMED, "values by name, or the fields of the output")}, ["write"]),
    "cache": {"anyOf": [{"type": "boolean"}, _DURATION]},
    "number": {"anyOf": [{"type": "number"}, {"$ref": "#/$defs/expression"}]},
    "estimate": {"anyOf": [_TEXT, _ESTIMATE]},
    "sandbox": {"anyOf": [{"enum": list(PROFILES)}, _SANDBOX]},
}
PROPERTY_FORMS: Final[dict[str, Callable[[Key], Schema]]] = {
    form: lambda key: {"$ref": f"#/$defs/{key.form}"} for form in PROPERTY_DEFS
}

_OPTIONS: Final[Schema] = {
    "instructions": _said(_TEXT, "what it is told before each prompt"),
    "tier": _said({"enum": list(TIERS)}, "how strong a model answers"),
    "model": _said(_TEXT, "which model answers"),
    "command": _said(_COMMAND, "what reads the prompt on standard input and prints the answer"),
    "env": _said({"type": "object"}, "environment variables of the command"),
    "output": _said({"enum": list(OUTPUT_FORMATS)}, "how what it prints is read"),
    "sandbox": _said({"$ref": "#/$defs/sandbox"}, "what its commands are held in, where a step says nothing"),
    "function": _said(_TEXT, "`module:function` that takes the prompt and returns the answer"),
    "answer": _said({}, "the answer to everything"),
    "answers": _said({"type": "object"}, "answers by a glob over the paths of steps"),
}


def _agent(backend: str) -> Schema:
    keys = {key: _OPTIONS[key] for key, of in AGENT_KEYS.items() if backend in of}
    kind = _said({"const": backend}, "what answers for it")
    needed = [{"required": [key]} for key in BACKENDS[backend]]
    return {**_closed({"backend": kind, **keys}, ["backend"]), "anyOf": needed}


AGENTS: Final[Schema] = {
    "type": "object",
    "propertyNames": {"$ref": "#/$defs/name"},
    "additionalProperties": {"anyOf": [_agent(backend) for backend in BACKENDS]},
}
