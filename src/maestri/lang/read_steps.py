"""Reads steps and bodies: one verb, its own keys, and the common properties."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from typing import Any

from maestri.kernel.policy import DEFAULT, Policy
from maestri.lang import read_values as read
from maestri.lang.findings import Findings
from maestri.lang.keys import COMMON, LATER, PROPERTIES, VERBS, WAITS
from maestri.lang.model import (
    Action,
    BodyDef,
    PredicateDef,
    Returns,
    StepDef,
)
from maestri.lang.parts import part
from maestri.lang.read_patterns import read_pattern
from maestri.lang.read_verbs import VerbReader
from maestri.lang.source import nearest
from maestri.lang.tree import Entry, Mapping, Scalar, Tree
from maestri.patterns._registry import PatternSpec

_COMMON = {key.name: key for key in COMMON}
_PROPERTIES = frozenset(key.name for key in PROPERTIES)
BODY_KEYS = ("steps", "output")


class StepReader:
    """Reads the steps of one file, with the patterns that there are."""

    def __init__(self, findings: Findings, patterns: MappingOf[str, PatternSpec]) -> None:
        """Findings go to `findings`."""
        self.findings = findings
        self.patterns = patterns
        self.verbs = VerbReader(findings)
        self.schemas: MappingOf[str, Returns] = {}  # of the file
        self.remembers = False  # whether a step that was read writes into `memory`
        self.isolates = False  # whether one works in a place of its own, or calls a workflow

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
            read_waits = part("read_waits") if verb.key.text in WAITS else None
            action = self.verbs.action(verb, table) if read_waits is None else read_waits(self, verb, table)
        self._check_keys(table, known, entry.key.text, verb.key.text)
        common = self._common(table)
        if action is None or name is None:
            self.findings.unread.add(entry.key.text)
            return None
        self.isolates = self.isolates or verb.key.text == "workflow"
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
        undo = table.get("undo")
        if undo is not None:
            found["undo"] = self.body(undo, "`undo`", ("output",))
        if any(entry.key.text in _PROPERTIES for entry in table.entries):
            found["properties"] = part("properties")(self.findings, table, self.schemas)
            self.remembers = self.remembers or found["properties"].memory is not None
            self.isolates = self.isolates or found["properties"].workspace != "none"
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

    def predicate(self, tree: Tree, binds: tuple[str, ...]) -> PredicateDef | None:
        """Read a condition with the names that a pattern gives it."""
        return read.predicate(self.findings, tree, binds)


_LIMITS = {
    "timeout": "step_timeout_s",
    "attempt_timeout": "attempt_timeout_s",
    "idle_timeout": "idle_timeout_s",
}
_STEP_WORDS = frozenset({*VERBS, *_COMMON}) - {"when"}
