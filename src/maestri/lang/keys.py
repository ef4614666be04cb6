"""The words of the language that are not patterns: verbs, common properties, the keys of a file.

The reader, the JSON Schema and the reference page all read these tables.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

Form: TypeAlias = Literal[
    "command", "text", "template", "value", "texts", "integers", "duration", "predicate", "names", "list",
    "retry", "word", "wait",
]  # fmt: skip


class Key(NamedTuple):
    """One key: what it takes and what it is for."""

    name: str
    form: Form
    doc: str
    words: tuple[str, ...] = ()
    required: bool = False


OUTPUT_FORMATS: Final = ("text", "json", "jsonl", "lines", "result")

# A verb's first key is the verb itself.
VERBS: Final[dict[str, tuple[Key, ...]]] = {
    "run": (
        Key("run", "command", "a command: a text for the shell (never templated), or a list of arguments"),
        Key("env", "texts", "environment variables; the way for values to reach a shell command"),
        Key("stdin", "value", "what the command reads: a text, or a value that is given as JSON"),
        Key("cwd", "template", "the folder to run in; the run's own without it"),
        Key("output", "word", "how standard output is read", OUTPUT_FORMATS),
        Key("ok", "integers", "the exit codes that are no failure; [0] without it"),
    ),
    "call": (
        Key("call", "text", "a Python function, `module:function`, sync or async"),
        Key("args", "value", "its arguments: a mapping by name, or a list in order"),
    ),
    "agent": (
        Key("agent", "text", "a configured agent"),
        Key("prompt", "value", "what it is asked", required=True),
    ),
    "ask": (
        Key("ask", "value", "a question to a person"),
        Key("options", "list", "the answers to choose from"),
    ),
    "wait": (Key("wait", "wait", "a duration, or `{signal: NAME}`"),),
}

COMMON: Final[tuple[Key, ...]] = (
    Key("when", "predicate", "the step is skipped where this is false; its output is then null"),
    Key("needs", "names", "in a graph: the steps that must be done before"),
    Key("reason", "text", "why it needs them; shown in the graph"),
    Key("retry", "retry", "how often and when a failed attempt is made again"),
    Key("timeout", "duration", "the longest time for all attempts together"),
    Key("attempt_timeout", "duration", "the longest time for one attempt"),
    Key("idle_timeout", "duration", "the longest silence of an attempt"),
    Key("description", "text", "what the step is for"),
)

RETRY: Final[tuple[Key, ...]] = (
    Key("max", "integers", "how many attempts there may be", required=True),
    Key("delay", "duration", "the wait before the second attempt; 1s without it"),
    Key("factor", "value", "by what the wait grows each time; 2 without it"),
    Key("max_delay", "duration", "the longest wait; 5m without it"),
    Key("jitter", "value", "the fraction by which a wait varies, 0 to 1; 0.1 without it"),
    Key("on", "names", "the kinds of failure that are tried again"),
    Key("not_on", "names", "the kinds of failure that are not"),
)

FILE: Final[tuple[str, ...]] = (
    "workflow",
    "version",
    "description",
    "inputs",
    "steps",
    "output",
    "workflows",
    "timeout",
)

INPUT: Final = ("type", "required", "default", "description")
INPUT_TYPES: Final = ("any", "text", "number", "integer", "boolean", "list", "mapping", "path")
SAME_TYPE: Final = {"string": "text", "str": "text", "int": "integer", "float": "number", "bool": "boolean",
                    "array": "list", "object": "mapping", "dict": "mapping"}  # fmt: skip

# Words of the language that this version does not have yet: named as such, never as typing errors.
LATER: Final = frozenset({
    "agents", "schemas", "budget", "claims", "reads", "delivers", "handoff", "returns", "requires", "outputs",
    "undo", "cache", "sandbox", "workspace", "priority", "progress", "memory", "verify", "tier", "model",
    "estimate", "emit", "sync", "refine", "repair", "fallback", "saga", "supervise", "on", "route", "review",
    "phases", "streams", "scout", "compete", "race", "vote", "land", "on_timeout",
})  # fmt: skip
