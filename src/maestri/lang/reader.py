"""Reads a whole definition: from a loaded tree to the model, with all findings at once."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf

from maestri.errors import Diagnostic
from maestri.lang import read_values as read
from maestri.lang.findings import Findings
from maestri.lang.inputs import InputDef, fits
from maestri.lang.keys import FILE, INPUT, INPUT_TYPES, LATER, SAME_TYPE
from maestri.lang.model import BodyDef, FileAgent, WorkflowDef
from maestri.lang.parts import part
from maestri.lang.read_steps import StepReader
from maestri.lang.source import Source, nearest, suggest
from maestri.lang.tree import Entry, Mapping, Scalar, Tree, to_json
from maestri.patterns._registry import PatternSpec
from maestri.values import Json, plain_type


def read_workflow(
    tree: Mapping, source: Source, file: str, patterns: MappingOf[str, PatternSpec]
) -> tuple[WorkflowDef, list[Diagnostic]]:
    """Return the model of a definition, as far as it can be read, and everything that is wrong with it."""
    findings = Findings(source)
    definition = _Reader(findings, patterns, file).workflow(tree, _stem(file))
    return definition, findings.sorted()


def _stem(file: str) -> str:
    return file.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or file


class _Reader:
    def __init__(self, findings: Findings, patterns: MappingOf[str, PatternSpec], file: str) -> None:
        self.findings = findings
        self.steps = StepReader(findings, patterns)
        self.file = file
        self.agents: MappingOf[str, FileAgent] = {}  # of the file

    def workflow(self, tree: Mapping, default_name: str, *, is_inner: bool = False) -> WorkflowDef:
        for entry in tree.entries:
            self._check_key(entry, is_inner=is_inner)
        steps = tree.get("steps")
        if steps is None:
            cause, fix = "`steps:` is what a workflow does", "add `steps:` with at least one step"
            self.findings.add("L202", "the workflow has no `steps`", tree.span, cause=cause, fix=fix)
        output, timeout, declared = tree.get("output"), tree.get("timeout"), tree.entry("inputs")
        if not is_inner:
            self._shared(tree)
        self.steps.remembers = self.steps.isolates = False
        body = BodyDef(self.steps.steps(steps, "the workflow"), (steps or tree).span)
        remembers, isolates = self.steps.remembers, self.steps.isolates
        return WorkflowDef(
            self._name(tree, default_name),
            self.findings.source,
            self.file,
            body,
            self._inputs(tree.get("inputs")),
            self._workflows(tree.get("workflows")),
            None if output is None else read.dynamic(self.findings, output),
            self._text(tree, "version"),
            self._text(tree, "description"),
            None if timeout is None else read.duration(self.findings, timeout, "`timeout`"),
            tree.span,
            frozenset(self.findings.unread),
            None if declared is None else declared.key.span,
            self.agents,
            self.steps.schemas,
            remembers,
            isolates,
        )

    def _shared(self, tree: Mapping) -> None:
        """Read what the steps of all workflows of a file may use."""
        schemas, agents = tree.get("schemas"), tree.get("agents")
        if schemas is not None:
            self.steps.schemas = part("schemas")(self.findings, schemas)
        if agents is not None:
            self.agents = part("agents")(self.findings, agents)

    def _check_key(self, entry: Entry, *, is_inner: bool) -> None:
        key = entry.key
        known = [word for word in FILE if not (is_inner and word in {"workflows", "agents", "schemas"})]
        if key.text in known:
            return
        if key.text in LATER:
            self.steps.later(key)
        else:
            self.findings.unknown("key of a workflow", key, known)

    def _name(self, tree: Mapping, default: str) -> str:
        entry = tree.get("workflow")
        if entry is None:
            return default
        if isinstance(entry, Scalar) and read.name(self.findings, entry, "a workflow"):
            return entry.text
        return default

    def _text(self, tree: Mapping, key: str) -> str:
        value = tree.get(key)
        return "" if value is None else read.literal_text(self.findings, value, f"`{key}`")

    def _workflows(self, tree: Tree | None) -> dict[str, WorkflowDef]:
        table = None if tree is None else read.mapping(self.findings, tree, "`workflows`")
        found = {}
        for entry in () if table is None else table.entries:
            name = read.name(self.findings, entry.key, "a workflow")
            inner = read.mapping(self.findings, entry.value, f"the workflow `{entry.key.text}`")
            if name is not None and inner is not None:
                found[name] = self.workflow(inner, name, is_inner=True)
        return found

    # --- inputs -------------------------------------------------------------------------------------

    def _inputs(self, tree: Tree | None) -> dict[str, InputDef]:
        table = (
            None
            if tree is None
            else read.mapping(self.findings, tree, "`inputs`", "write `name: {type: text}`")
        )
        found = {}
        for entry in () if table is None else table.entries:
            name = read.name(self.findings, entry.key, "an input")
            if name is not None:
                found[name] = self._input(name, entry)
        return found

    def _input(self, name: str, entry: Entry) -> InputDef:
        span = entry.key.span
        if isinstance(entry.value, Scalar):  # `module: path` is short for `module: {type: path}`
            kind = "any" if entry.value.value is None else self._type(entry.value)
            return InputDef(name, kind, span=span)
        table = read.mapping(self.findings, entry.value, f"the input `{name}`", "write `{type: text}`")
        if table is None:
            return InputDef(name, span=span)
        for inner in table.entries:
            if inner.key.text not in INPUT:
                self.findings.unknown("key of an input", inner.key, INPUT)
        kind_tree, default = table.get("type"), table.get("default")
        kind = self._type(kind_tree) if isinstance(kind_tree, Scalar) else "any"
        value = None if default is None else _as_type(default, kind)
        if default is not None and value is not None and not fits(value, kind):
            message = f"the default of `{name}` is not of type {kind}"
            cause = f"it is a {plain_type(value)}, and a default is a value like any other"
            fix = "give one that is, or another `type`"
            self.findings.add(read.WRONG, message, default.span, cause=cause, fix=fix)
        required = self._required(table, has_default=default is not None)
        return InputDef(name, kind, required, value, self._text(table, "description"), span)

    def _required(self, table: Mapping, *, has_default: bool) -> bool:
        tree = table.get("required")
        if tree is None:
            return not has_default
        if isinstance(tree, Scalar) and isinstance(tree.value, bool):
            return tree.value and not has_default
        message, cause = "`required` must be true or false", "no other value stands for true or false"
        self.findings.add(read.WRONG, message, tree.span, cause=cause, fix="write `required: true`")
        return not has_default

    def _type(self, tree: Scalar) -> str:
        kind = SAME_TYPE.get(tree.text, tree.text)
        if kind not in INPUT_TYPES:
            meant = nearest(tree.text, [*INPUT_TYPES, *SAME_TYPE])
            also = ", ".join(f"`{word}`" for word in SAME_TYPE)
            fix = f"{suggest(tree.text, INPUT_TYPES)}; {also} are the same"
            fix = f"did you mean `{meant}`?" if meant else fix
            self.findings.unknown("type", tree, INPUT_TYPES, fix=fix)
            return "any"
        return kind


def _as_type(tree: Tree, kind: str) -> Json:
    """Return a default as its type says: a text keeps the form in which it is written."""
    if isinstance(tree, Scalar) and kind in {"text", "path"} and tree.value is not None:
        return tree.text
    return to_json(tree)
