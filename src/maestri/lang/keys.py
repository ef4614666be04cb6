"""The words of the language that are not patterns: verbs, common properties, the keys of a file.

The reader, the JSON Schema and the reference page all read these tables.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from maestri.records import NamedTuple

Form: TypeAlias = Literal[
    "command", "text", "template", "value", "texts", "integers", "duration", "predicate", "names", "list",
    "retry", "word", "wait", "late", "files", "checks", "checklist", "schema", "count", "values", "memory",
    "cache", "number", "estimate", "body", "sandbox",
]  # fmt: skip


class Key(NamedTuple):
    """One key: what it takes and what it is for."""

    name: str
    form: Form
    doc: str
    words: tuple[str, ...] = ()
    required: bool = False


OUTPUT_FORMATS: Final = ("text", "json", "jsonl", "lines", "result")

TIERS: Final = ("small", "medium", "large")

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
        Key("tier", "word", "how strong a model answers", TIERS),
        Key("model", "text", "which model answers; the agent's own without it"),
    ),
    "ask": (
        Key("ask", "value", "a question to a person"),
        Key("options", "list", "the answers to choose from"),
        Key("schema", "schema", "what an answer must be: a JSON Schema, or the name of one under `schemas`"),
        Key("on_timeout", "late", "without an answer in time: `fail`, `skip` or `{default: VALUE}`"),
    ),
    "wait": (
        Key("wait", "wait", "a duration, `{until: TIME}`, or `{signal: NAME}`, also with `timeout` in it"),
        Key("on_timeout", "late", "without the signal in time: `fail`, `skip` or `{default: VALUE}`"),
    ),
    "emit": (
        Key("emit", "text", "the name of an event, for whoever in this run waits for that signal"),
        Key("data", "value", "what the event carries; null without it"),
    ),
    "sync": (Key("sync", "text", "in a stream: the point where the streams that name it meet"),),
}

# Read and compiled in modules of their own.
WAITS: Final = frozenset({"ask", "wait", "emit"})

WORKSPACES: Final = ("none", "shared", "worktree", "copy")
STRAYS: Final = ("fail", "block")

# What few steps have; read, compiled and checked in modules of their own.
PROPERTIES: Final[tuple[Key, ...]] = (
    Key("requires", "files", "files that must exist before the step starts; globs are allowed"),
    Key("reads", "files", "files that the step reads; with `cache`, their content decides"),
    Key("returns", "schema", "what its answer must be: a JSON Schema, or the name of one under `schemas`"),
    Key("repair_turns", "count", "how often an agent may correct an answer of another form; 1 without it"),
    Key("delivers", "files", "files that must exist and hold something when it is done; globs are allowed"),
    Key("verify", "checks", "commands or expressions over `output` that decide whether it is done"),
    Key("outputs", "values", "named outputs, as expressions over `output`, or the fields to take"),
    Key("handoff", "checklist", "items with a check each, all met before anything builds on the step"),
    Key("on_unmet", "word", "with an item unmet: `block` until it is met, or `fail`", ("block", "fail")),
    Key("memory", "memory", "`{write: {NAME: value}}`: values that later steps see as `${memory.NAME}`"),
    Key("cache", "cache", "keep its output for other runs: `true`, or for how long"),
    Key("priority", "number", "of what is ready under `max_concurrent`, the higher number goes first"),
    Key(
        "sandbox", "sandbox", "what its commands are held in: `none`, `agent`, `code`, or a mapping with more"
    ),
    Key("workspace", "word", "the place of its own that it works in; `none` without it", WORKSPACES),
    Key("claims", "files", "the files that it may change, in its `workspace`; globs are allowed"),
    Key("on_stray", "word", "with other files changed: `fail`, or `block` until a person decides", STRAYS),
    Key("estimate", "estimate", "what it is expected to take: a text, or `{tokens, duration, usd}`"),
)

COMMON: Final[tuple[Key, ...]] = (
    Key("when", "predicate", "the step is skipped where this is false; its output is then null"),
    Key("needs", "names", "in a graph: the steps that must be done before"),
    Key("reason", "text", "why it needs them; shown in the graph"),
    Key("retry", "retry", "how often and when a failed attempt is made again"),
    Key("timeout", "duration", "the longest time for all attempts together"),
    Key("attempt_timeout", "duration", "the longest time for one attempt"),
    Key("idle_timeout", "duration", "the longest silence of an attempt"),
    Key("description", "text", "what the step is for"),
    Key("undo", "body", "in a saga: what takes the step back; it sees the step's output as `output`"),
    *PROPERTIES,
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
    "agents",
    "schemas",
)

# What answers for an agent that a file defines, each with the options of which it needs one.
BACKENDS: Final[dict[str, tuple[str, ...]]] = {
    "run": ("command",),
    "call": ("function",),
    "scripted": ("answer", "answers"),
}
# The options of such an agent, each with the back ends that take it.
AGENT_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "instructions": ("run", "call", "scripted"),
    "tier": ("run", "call", "scripted"),
    "model": ("run", "call", "scripted"),
    "command": ("run",),
    "env": ("run",),
    "sandbox": ("run",),
    "output": ("run",),
    "function": ("call",),
    "answer": ("scripted",),
    "answers": ("scripted",),
}

INPUT: Final = ("type", "required", "default", "description")
INPUT_TYPES: Final = ("any", "text", "number", "integer", "boolean", "list", "mapping", "path")
SAME_TYPE: Final = {"string": "text", "str": "text", "int": "integer", "float": "number", "bool": "boolean",
                    "array": "list", "object": "mapping", "dict": "mapping"}  # fmt: skip

# Words of the language that this version does not have yet: named as such, never as typing errors.
LATER: Final = frozenset({
    "budget", "progress",
})  # fmt: skip
