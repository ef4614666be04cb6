"""Reads steps and bodies: one verb, its own keys, and the common properties."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf
from typing import Any

from maestri.kernel.policy import DEFAULT, Policy
from maestri.lang import read_values as read
from maestri.lang.findings import Findings
from maestri.lang.keys import COMMON, LATER, VERBS
from maestri.lang.model import (
    Action,
    AgentDef,
    AskDef,
    BodyDef,
    CallDef,
    Dynamic,
    Fixed,
    Listing,
    PredicateDef,
    Record,
    RunDef,
    StepDef,
    Templated,
    WaitDef,
)
from maestri.lang.read_patterns import read_pattern
from maestri.lang.source import nearest
from maestri.lang.tree import Entry, Mapping, Scalar, Sequence, Tree
from maestri.patterns._registry import PatternSpec

_COMMON = {key.name: key for key in COMMON}
BODY_KEYS = ("steps", "output")


class StepReader:
    """Reads the steps of one file, with the patterns that there are."""

    def __init__(self, findings: Findings, patterns: MappingOf[str, PatternSpec]) -> None:
        """Findings go to `findings`."""
        self.findings = findings
        self.patterns = patterns

    # --- bodies -------------------------------------------------------------------------------------

    def body(self, tree: Tree, what: str, binds: tuple[str, ...] = (), more: tuple[str, ...] = ()) -> BodyDef:
        """Read a body: `steps:` with `output` beside it, or one step written in its place.

        Args:
            tree: What stands there.
            what: What it is the body of, for messages.
            binds: The names that a pattern gives it.
            more: Keys that the pattern itself reads beside the body's (`when` in a branch).
        """
        table = read.mapping(
            self.findings, tree, what, "write `steps:` or one step, such as `{run: make test}`"
        )
        if table is None:
            return BodyDef((), tree.span)
        if table.get("steps") is None:
            return self._single(table, what, binds, more)
        for entry in table.entries:
            if entry.key.text not in (*BODY_KEYS, *more):
                self._misplaced(entry, (*BODY_KEYS, *more), what)
        output = table.get("output")
        return BodyDef(
            self.steps(table.get("steps"), what),
            table.span,
            None if output is None else read.dynamic(self.findings, output),
            binds=binds,
        )

    def _misplaced(self, entry: Entry, known: tuple[str, ...], what: str) -> None:
        key = entry.key
        if key.text in _COMMON:
            message = f"`{key.text}` cannot stand beside `steps` in {what}"
            cause = "a body is `steps:` with `output:` beside it; properties are those of a step"
            fix = f"give `{key.text}` to one of the steps"
            self.findings.add("L201", message, key.span, cause=cause, fix=fix)
        else:
            self.findings.unknown(f"key of {what}", key, known)

    def _single(self, table: Mapping, what: str, binds: tuple[str, ...], more: tuple[str, ...]) -> BodyDef:
        own = [
            entry for entry in table.entries if entry.key.text not in more or entry.key.text in _STEP_WORDS
        ]
        if not own:
            cause, fix = "nothing in it says what to do", "add `steps:` or a verb such as `run:`"
            self.findings.add("L209", f"{what} has no steps", table.span, cause=cause, fix=fix)
            return BodyDef((), table.span, binds=binds)
        dropped = {"when"} & set(more)
        inner = Mapping([entry for entry in table.entries if entry.key.text not in dropped], table.span)
        name = Scalar("step", "step", table.span)
        step = self.step(Entry(name, inner), is_named=False)
        return BodyDef(() if step is None else (step,), table.span, is_single=True, binds=binds)

    def steps(self, tree: Tree | None, what: str) -> tuple[StepDef, ...]:
        """Read `name: step` entries in order."""
        if tree is None:
            return ()
        table = read.mapping(
            self.findings, tree, f"`steps` of {what}", "write `name: {run: …}` below each other"
        )
        if table is None:
            return ()
        if not table.entries:
            cause, fix = "a body without a step would do nothing", "add a step, such as `a: {run: make}`"
            self.findings.add("L209", f"{what} has no steps", table.span, cause=cause, fix=fix)
        found = [self.step(entry) for entry in table.entries]
        return tuple(step for step in found if step is not None)

    # --- one step -----------------------------------------------------------------------------------

    def step(self, entry: Entry, *, is_named: bool = True) -> StepDef | None:
        """Read one step, or add what is wrong with it."""
        name = read.name(self.findings, entry.key, "a step") if is_named else "step"
        table = read.mapping(
            self.findings,
            entry.value,
            f"the step `{entry.key.text}`",
            "write a verb, such as `{run: make test}`",
        )
        verb = None if table is None else self._verb(entry.key, table)
        if table is None or verb is None:
            self.findings.unread.add(entry.key.text)
            return None
        spec = self.patterns.get(verb.key.text)
        if spec is not None:
            beside = {option.name for option in spec.options} if spec.option(spec.keyword) else set()
            known = {verb.key.text, *beside, *_COMMON, *({"output"} if verb.key.text == "steps" else ())}
            action: Action | None = read_pattern(self, spec, verb, table)
        else:
            known = {*(key.name for key in VERBS[verb.key.text]), *_COMMON}
            action = self._action(verb, table)
        self._check_keys(table, known, entry.key.text, verb.key.text)
        common = self._common(table)
        if action is None or name is None:
            self.findings.unread.add(entry.key.text)
            return None
        return StepDef(name, entry.key.span, verb.key.text, verb.key.span, action, **common)

    def _verb(self, name: Scalar, table: Mapping) -> Entry | None:
        """Return the one entry of a step that says what it does."""
        words = {*VERBS, *self.patterns}
        found = [entry for entry in table.entries if entry.key.text in words]
        if "workflow" in [entry.key.text for entry in found]:  # its `steps` would be a slip, not a verb
            found = [entry for entry in found if entry.key.text == "workflow"]
        if len(found) == 1:
            return found[0]
        if found:
            listed = " and ".join(f"`{entry.key.text}`" for entry in found)
            message = f"the step `{name.text}` has several verbs: {listed}"
            fix = "keep one; put the others into steps of their own"
            cause = "a step does one thing, so that its failure and its output are of one thing"
            self.findings.add("L205", message, found[1].key.span, cause=cause, fix=fix)
            return None
        self._no_verb(name, table, words)
        return None

    def _no_verb(self, name: Scalar, table: Mapping, words: set[str]) -> None:
        unknown = [entry.key for entry in table.entries if entry.key.text not in _COMMON]
        later = [key for key in unknown if key.text in LATER]
        for key in later:
            self.later(key)
        rest = [key for key in unknown if key not in later]
        if rest:
            slip = next((key for key in rest if nearest(key.text, words)), rest[0])
            self.findings.unknown("verb", slip, sorted(words), "L204")
        elif not later:
            message = f"the step `{name.text}` says nothing of what to do"
            cause = "a step has one verb, and all its keys are properties that any step may have"
            fix = f"add a verb: {', '.join(f'`{word}`' for word in VERBS)}, or a pattern"
            self.findings.add("L204", message, name.span, cause=cause, fix=fix)

    def later(self, key: Scalar) -> None:
        """Add that a word of the language is not there yet."""
        message = f"`{key.text}` is not available in this version"
        cause = "it is a word of the language, but this version does not do it yet"
        self.findings.add("L208", message, key.span, cause=cause, fix=f"take `{key.text}` out")

    def _check_keys(self, table: Mapping, known: set[str], step: str, verb: str) -> None:
        for entry in table.entries:
            if entry.key.text in known:
                continue
            if entry.key.text in LATER:
                self.later(entry.key)
            elif entry.key.text not in {*VERBS, *self.patterns}:
                self.findings.unknown(f"key of the `{verb}` step `{step}`", entry.key, sorted(known))

    # --- properties ---------------------------------------------------------------------------------

    def _common(self, table: Mapping) -> dict[str, Any]:
        """Read the properties that mean the same on every step."""
        found: dict[str, Any] = {"policy": self._policy(table)}
        when = table.get("when")
        if when is not None:
            found["when"] = read.predicate(self.findings, when)
        needs = table.get("needs")
        if needs is not None:
            found["needs"] = read.names(self.findings, needs, "`needs`")
        for key in ("reason", "description"):
            text = table.get(key)
            if text is not None:
                found[key] = read.literal_text(self.findings, text, f"`{key}`")
        return found

    def _policy(self, table: Mapping) -> Policy:
        fields: dict[str, Any] = {}
        for key, field in _LIMITS.items():
            value = table.get(key)
            if value is not None:
                fields[field] = read.duration(self.findings, value, f"`{key}`")
        retry = table.get("retry")
        if retry is not None:
            fields["retry"] = read.retry(self.findings, retry)
        return Policy(**fields) if fields else DEFAULT

    # --- verbs --------------------------------------------------------------------------------------

    def _action(self, verb: Entry, table: Mapping) -> Action | None:
        for key in VERBS[verb.key.text]:
            if key.required and table.get(key.name) is None:
                message = f"`{verb.key.text}` needs `{key.name}`: {key.doc}"
                cause, fix = "there is no default for it", f"add `{key.name}:`"
                self.findings.add("L202", message, verb.key.span, cause=cause, fix=fix)
        if verb.key.text == "run":
            return self._run(verb, table)
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
            return AgentDef(read.literal_text(self.findings, verb.value, "`agent`"), value, verb.value.span)
        if verb.key.text == "ask":
            options = table.get("options")
            found = () if options is None else read.texts(self.findings, options, "`options`")
            question = read.dynamic(self.findings, verb.value)
            return AskDef(question, tuple(option.text for option in found))
        return self._wait(verb)

    def _arguments(self, tree: Tree) -> Dynamic:
        value = read.dynamic(self.findings, tree)
        if not isinstance(value, Listing | Record):
            message = "`args` must be a mapping by name, or a list in order"
            cause = "that is how a function of Python is called"
            self.findings.add(read.WRONG, message, tree.span, cause=cause, fix="write `args: {name: value}`")
        return value

    def _wait(self, verb: Entry) -> WaitDef | None:
        if isinstance(verb.value, Mapping):
            signal = verb.value.get("signal")
            for entry in verb.value.entries:
                if entry.key.text != "signal":
                    self.findings.unknown("key of `wait`", entry.key, ["signal"])
            if signal is not None:
                return WaitDef(signal=read.literal_text(self.findings, signal, "`signal`"))
            cause, fix = "a mapping under `wait` names a signal", "write `wait: {signal: NAME}`"
            self.findings.add("L202", "`wait` says not for what", verb.value.span, cause=cause, fix=fix)
            return None
        return WaitDef(delay_s=read.duration(self.findings, verb.value, "`wait`"))

    def _run(self, verb: Entry, table: Mapping) -> RunDef:
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
        if not _VARIABLE.fullmatch(key.text):
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

    def predicate(self, tree: Tree, binds: tuple[str, ...]) -> PredicateDef | None:
        """Read a condition with the names that a pattern gives it."""
        return read.predicate(self.findings, tree, binds)


_LIMITS = {
    "timeout": "step_timeout_s",
    "attempt_timeout": "attempt_timeout_s",
    "idle_timeout": "idle_timeout_s",
}
_STEP_WORDS = frozenset({*VERBS, *_COMMON}) - {"when"}
_MAX_EXIT_CODE = 255
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
