"""Reads what a step does where that is no pattern: the verbs `run`, `call`, `agent` and `sync`."""

from __future__ import annotations

import re

from maestri.lang import read_values as read
from maestri.lang.findings import Findings
from maestri.lang.keys import VERBS
from maestri.lang.model import (
    Action,
    AgentDef,
    CallDef,
    Dynamic,
    Fixed,
    Listing,
    Record,
    RunDef,
    SyncDef,
    Templated,
)
from maestri.lang.tree import Entry, Mapping, Scalar, Sequence, Tree

_MAX_EXIT_CODE = 255
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"


class VerbReader:
    """Reads the verbs of one file."""

    def __init__(self, findings: Findings) -> None:
        """Findings go to `findings`."""
        self.findings = findings

    def action(self, verb: Entry, table: Mapping) -> Action | None:
        """Read what a step does, or add what is wrong with it."""
        for key in VERBS[verb.key.text]:
            if key.required and table.get(key.name) is None:
                message = f"`{verb.key.text}` needs `{key.name}`: {key.doc}"
                cause, fix = "there is no default for it", f"add `{key.name}:`"
                self.findings.add("L202", message, verb.key.span, cause=cause, fix=fix)
        if verb.key.text == "run":
            return self.run(verb, table)
        if verb.key.text == "call":
            args = table.get("args")
            function = read.literal_text(self.findings, verb.value, "`call`")
            if function and function.count(":") != 1:
                message = f"`{function}` does not name a function"
                cause = "a module and a function stand on the two sides of one `:`"
                fix = "write `module:function`"
                self.findings.add(read.WRONG, message, verb.value.span, cause=cause, fix=fix)
            return CallDef(function, None if args is None else self._arguments(args))
        if verb.key.text == "agent":
            prompt = table.get("prompt")
            value = Fixed("", verb.key.span) if prompt is None else read.dynamic(self.findings, prompt)
            return self._agent(verb, table, value)
        return self._sync(verb)

    def _agent(self, verb: Entry, table: Mapping, prompt: Dynamic) -> AgentDef:
        agent = read.literal_text(self.findings, verb.value, "`agent`")
        tier, model = table.get("tier"), table.get("model")
        word = None if tier is None else self.word(tier, "tier", VERBS["agent"][2].words)
        name = "" if model is None else read.literal_text(self.findings, model, "`model`")
        return AgentDef(agent, prompt, verb.value.span, word or "", name)

    def _arguments(self, tree: Tree) -> Dynamic:
        value = read.dynamic(self.findings, tree)
        if not isinstance(value, Listing | Record):
            message = "`args` must be a mapping by name, or a list in order"
            cause = "that is how a function of Python is called"
            self.findings.add(read.WRONG, message, tree.span, cause=cause, fix="write `args: {name: value}`")
        return value

    def _sync(self, verb: Entry) -> SyncDef | None:
        point = read.literal_text(self.findings, verb.value, "`sync`")
        if not point or not isinstance(verb.value, Scalar):
            return None
        name = read.name(self.findings, verb.value, "a sync point")
        return None if name is None else SyncDef(name, verb.value.span)

    def run(self, verb: Entry, table: Mapping) -> RunDef:
        """Read a command with its options."""
        env = table.get("env")
        found_env = (
            None if env is None else read.mapping(self.findings, env, "`env`", "write `env: {NAME: value}`")
        )
        output = table.get("output")
        word = None if output is None else self.word(output, "output", VERBS["run"][4].words)
        record = None if found_env is None else read.dynamic(self.findings, found_env)
        command = self._command(verb.value)
        for key in () if found_env is None else [entry.key for entry in found_env.entries]:
            self._check_variable(key)
        for tree in (verb.value, found_env, table.get("stdin"), table.get("cwd")):
            self._check_characters(tree)
        return RunDef(
            command,
            record if isinstance(record, Record) else None,
            self._optional(table, "stdin"),
            self._optional(table, "cwd"),
            word,
            self._exit_codes(table.get("ok")),
            verb.value if isinstance(verb.value, Scalar) and isinstance(command, str) else None,
        )

    def _check_variable(self, key: Scalar) -> None:
        if not re.fullmatch(_VARIABLE, key.text):
            message = f"`{key.text[:80]}` is not a name for an environment variable"
            fix = "begin with a letter or `_`; then letters, digits and `_`"
            cause = "a shell could not read a variable of such a name"
            self.findings.add("L206", message, key.span, cause=cause, fix=fix)

    def _check_characters(self, tree: Tree | None) -> None:
        """Add where a text holds what no command can be handed: the character that ends a text in C."""
        if tree is None or isinstance(tree, Scalar):
            if tree is not None and "\0" in tree.text:
                message = "a command cannot be handed the character U+0000"
                cause = "to the system it is the end of a text"
                self.findings.add(read.WRONG, message, tree.span, cause=cause, fix="remove it")
            return
        for inner in tree.items if isinstance(tree, Sequence) else [entry.value for entry in tree.entries]:
            self._check_characters(inner)

    def _optional(self, table: Mapping, key: str) -> Dynamic | None:
        tree = table.get(key)
        return None if tree is None else read.dynamic(self.findings, tree)

    def word(self, tree: Tree, what: str, words: tuple[str, ...]) -> str | None:
        """Read one of a few words."""
        text = tree.text if isinstance(tree, Scalar) else ""
        if text in words:
            return text
        fix = f"use one of: {', '.join(f'`{word}`' for word in words)}"
        shown = f"`{text[:60]}`" if isinstance(tree, Scalar) else f"a {read.kind_of(tree)}"
        cause = "only these words mean something here"
        self.findings.add(read.WRONG, f"`{what}` cannot be {shown}", tree.span, cause=cause, fix=fix)
        return None

    def _command(self, tree: Tree) -> str | Listing:
        if isinstance(tree, Sequence):
            return self._argument_list(tree)
        is_text = isinstance(tree, Scalar) and (isinstance(tree.value, str | bool) or tree.value is None)
        if not isinstance(tree, Scalar) or not is_text:
            message = f"`run` must be a command, and this is a {read.kind_of(tree)}"
            cause = "a command is a text for the shell, or a list of arguments"
            self.findings.add(read.WRONG, message, tree.span, cause=cause, fix="write `run: make test`")
            return ""
        if tree.value is None or not tree.text.strip():
            cause, fix = "there is no word in it that names a program", "write `run: make test`"
            self.findings.add(read.WRONG, "`run` has no command", tree.span, cause=cause, fix=fix)
            return ""
        return tree.text

    def _argument_list(self, tree: Sequence) -> Listing:
        items = []
        for item in tree.items:
            if not isinstance(item, Scalar) or item.value is None:
                message, cause = "an argument must be a text", "a program is handed texts and nothing else"
                self.findings.add(read.WRONG, message, item.span, cause=cause, fix="write a text")
                continue
            value = read.dynamic(self.findings, item)
            if isinstance(value, Templated) and value.template.parts and not value.template.is_single:
                message = "an argument is either one whole expression or a text without any"
                cause = "a value inside a larger text could be read as something else"
                self.findings.add(
                    read.WRONG, message, item.span, cause=cause, fix="make it an argument of its own"
                )
            items.append(Fixed(item.text, item.span) if isinstance(value, Fixed) else value)
        first = tree.items[0] if tree.items else None
        if not items or (isinstance(first, Scalar) and first.value is not None and not first.text.strip()):
            cause = "the first of the arguments is the program, and it is empty"
            fix = "write `run: [make, test]`"
            self.findings.add(read.WRONG, "`run` has no command", (first or tree).span, cause=cause, fix=fix)
        return Listing(tuple(items), tree.span)

    def _exit_codes(self, tree: Tree | None) -> tuple[int, ...] | None:
        if tree is None:
            return None
        items = tree.items if isinstance(tree, Sequence) else [tree]
        if not items:
            message = "`ok` names no exit code, so that the step could only fail"
            cause = "every exit code that is not in the list is a failure"
            self.findings.add(read.WRONG, message, tree.span, cause=cause, fix="write `ok: [0, 1]`")
        found = []
        for item in items:
            value = item.value if isinstance(item, Scalar) else None
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_EXIT_CODE:
                message = "`ok` takes exit codes, from 0 to 255"
                cause = "a program can end with no others"
                self.findings.add(read.WRONG, message, item.span, cause=cause, fix="write `ok: [0, 1]`")
            else:
                found.append(value)
        return tuple(found)
