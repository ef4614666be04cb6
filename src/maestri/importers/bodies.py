"""The steps of a cascade: stages in order, each as a step, with the names that later ones see."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from maestri.importers import conditions
from maestri.importers.conditions import Names, Value
from maestri.importers.scribe import (
    Scribe,
    duration,
    lines_of,
    literal,
    number,
    plain,
    step_name,
    text,
    texts,
)
from maestri.importers.shapes import Usage
from maestri.importers.stages import Stage
from maestri.importers.writing import At
from maestri.lang.expressions.tokens import Unreadable
from maestri.lang.tree import Mapping as Table
from maestri.lang.tree import Sequence as List
from maestri.lang.tree import Tree, to_json

CONDITION: Final = "L314"
INPUT: Final = "L322"

_TASK: Final = ("task", "prompt", "instructions", "description")
_WHEN: Final = ("condition", "conditions", "when", "if")
NEEDS_KEYS: Final = ("dependencies", "depends_on")
# What a stage may say beside what its kind reads.
_KEYS: Final = (
    "stage_id", "stage", "id", "name", "type", "skill", "skills", "agent", "model", "inputs", "outputs",
    "memory", "error_handling", "retry", "timeout", "estimated_time", "stages", "substages", "tasks",
    "iteration_loop", "swarm_config", "codex_config", *_TASK, *_WHEN, *NEEDS_KEYS,
)  # fmt: skip
_MET: Final = ("streaming", "stream_output", "report_as_available", "mode")

Step: TypeAlias = dict[str, Any]
Group: TypeAlias = Callable[["Bodies", Stage, Names], Step]
Arrange: TypeAlias = Callable[["Bodies", Sequence[Stage], Names], Step]
Child: TypeAlias = Callable[["Drafts", str, Table], tuple[dict[str, Any], set[str]]]


class Drafts:
    """What all cascades of one file share: the scribe, how outputs are used, and the cascades by name."""

    def __init__(
        self,
        scribe: Scribe,
        usage: Usage,
        others: Mapping[str, Table],
        groups: Mapping[str, Group],
        arrange: Arrange,
        child: Child,
    ) -> None:
        """Begin with no cascade made."""
        self.arrange = arrange
        self.scribe = scribe
        self.usage = usage
        self.groups = groups
        self.made: dict[str, Any] = {}
        self._others = others
        self._child = child
        self._needs: dict[str, set[str]] = {}
        self._per_item: set[str] = set()

    def names(self) -> list[str]:
        """Return the names of the cascades that can be called."""
        return list(self._others)

    def per_item(self, written: str) -> bool:
        """Tell whether a cascade is called once for each item of a list."""
        return written in self._per_item

    def workflow(self, written: str, *, per_item: bool) -> tuple[str, set[str]] | None:
        """Return the name and the inputs of the workflow that a cascade becomes; None where there is none."""
        table = self._others.get(written)
        if table is None:
            return None
        if per_item:
            self._per_item.add(written)
        name = step_name(written)
        if written not in self._needs:
            self._needs[written] = set()  # it may call itself
            made, self._needs[written] = self._child(self, written, table)
            self.made[name] = At(made, table.span.line)
        return name, self._needs[written]


class Bodies:
    """Makes the steps of one cascade."""

    def __init__(self, drafts: Drafts, variables: Mapping[str, Tree]) -> None:
        """Begin without inputs; a name that is nowhere else becomes one."""
        self.drafts = drafts
        self.scribe = drafts.scribe
        self.cascade = ""
        self.declared: set[str] = set()
        self.inputs: dict[str, Any] = {}
        self._variables = variables
        self._remembered: set[str] = set()

    # --- bodies -------------------------------------------------------------------------------------

    def body(self, stages: Sequence[Stage], outer: Names) -> tuple[Step, Names]:
        """Return the steps of some stages, and the names that those behind them see."""
        names = Names(outer)
        return self.drafts.arrange(self, stages, names), names

    def step(self, stage: Stage, names: Names) -> Step:
        """Return a stage as a step, and note what it gives to those behind it."""
        when = self._when(stage, names)
        before = set(names.own)
        group = self.drafts.groups.get(stage.kind)
        step = {**when, **(self._agent(stage, names) if group is None else group(self, stage, names))}
        names.own.setdefault(stage.written, Value(stage.name))
        names.own.setdefault(stage.name, Value(stage.name))
        if when:
            for name in set(names.own) - before:
                names.own[name] = names.own[name]._replace(maybe=True)
        self._tell_unread(stage)
        return step

    def _tell_unread(self, stage: Stage) -> None:
        if stage.table is None:
            return
        more = (
            "branches",
            "repeat_until",
            "repeat_while",
            "max_iterations",
            "cascade",
            "for_each",
            "max_concurrent",
        )
        self.scribe.unread(stage.table, (*_KEYS, *more), f"the stage `{stage.written}`", met=_MET)
        swarm, codex = stage.get("swarm_config"), stage.get("codex_config")
        if isinstance(swarm, Table):
            self.scribe.unread(swarm, ("max_agents",), "`swarm_config`")
        if isinstance(codex, Table):
            self.scribe.unread(
                codex, ("max_iterations", "network_disabled"), "`codex_config`", met=("sandbox", "mode")
            )

    # --- one stage as one step ------------------------------------------------------------------------

    def _agent(self, stage: Stage, names: Names) -> Step:
        outputs = self.outputs(stage)
        skills = texts(stage.get("skill")) or texts(stage.get("skills"))
        agent, line = text(stage.get("agent")), stage.at.span.line
        step: Step = {
            "agent": self.scribe.agent(agent, *(one.text for one in skills), stage.written, line=line)
        }
        if text(stage.get("model")) not in {"", "auto-select", "auto"}:
            step["model"] = text(stage.get("model"))
        step["prompt"] = self._prompt(stage, [one.text for one in skills], names)
        if outputs:
            step["returns"] = self.drafts.usage.schema(stage.written, outputs)
            step["outputs"] = outputs
        step |= self.properties(stage)
        step |= self._memory(stage, outputs)
        self.give(stage, {name: Value(f"{stage.name}.{name}") for name in outputs}, names)
        return step

    def outputs(self, stage: Stage) -> list[str]:
        """Return the outputs that a stage names, and those that others read of it."""
        tree = stage.get("outputs")
        found = [one.text for one in texts(tree)]
        if isinstance(tree, Table):
            found = tree.keys()
        elif isinstance(tree, List):
            found += [key for one in tree.items if isinstance(one, Table) for key in one.keys()[:1]]
        if stage.kind == "":
            found += self.drafts.usage.fields(stage.written)
        return list(dict.fromkeys(name for name in found if name == step_name(name)))

    @staticmethod
    def give(stage: Stage, values: Mapping[str, Value], names: Names) -> None:
        """Note what a stage gives: under its own names, and under those with the stage before them."""
        for name, value in values.items():
            names.own[name] = value
            names.own[f"{stage.written}.{name}"] = value

    def _prompt(self, stage: Stage, skills: list[str], names: Names) -> str:
        told = stage.words or next((text(stage.get(key)) for key in _TASK if text(stage.get(key))), "")
        title = text(stage.get("name"))
        parts = [
            self.template(told, stage.at, names)
            or literal(f"Do the stage `{stage.written}` of `{self.cascade}`."),
            literal(f"It is called: {title}.") if title and title != stage.written else "",
            *(literal(f"Use the skill `{skill}`.") for skill in skills),
        ]
        given = self._given(stage, names)
        return lines_of(
            [
                *parts,
                "Inputs:" if given else "",
                *(f"- {literal(name)}: {value}" for name, value in given.items()),
            ]
        )

    def _given(self, stage: Stage, names: Names) -> dict[str, str]:
        """Return what a stage is given: values by name, as texts with our expressions."""
        tree = stage.get("inputs")
        found: dict[str, str] = {}
        if isinstance(tree, Table):
            found = {one.key.text: self.template(plain(one.value), one.value, names) for one in tree.entries}
        else:
            for one in texts(tree):
                match = conditions.REFERENCE.fullmatch(one.text.strip())
                found[match[1] if match else f"input {len(found) + 1}"] = self.template(one.text, one, names)
        memory = stage.get("memory")
        keys = memory.get("read_keys") if isinstance(memory, Table) else None
        for one in texts(keys):
            found[one.text] = self.template(f"${{memory.{step_name(one.text)}}}", one, names)
        return found

    def _memory(self, stage: Stage, outputs: list[str]) -> Step:
        memory = stage.get("memory")
        if not isinstance(memory, Table):
            return {}
        self.scribe.unread(memory, ("read_keys", "write_keys"), "`memory`")
        keys = [step_name(one.text) for one in texts(memory.get("write_keys"))]
        self._remembered |= set(keys)
        write = {key: f"${{output.{key}}}" if key in outputs else "${output}" for key in keys}
        return {"memory": {"write": write}} if write else {}

    def properties(self, stage: Stage) -> Step:
        """Return the retry, the time limit and the estimate of a stage."""
        found: Step = {}
        retry = self._retry(stage)
        if retry:
            found["retry"] = retry
        limit = duration(stage.get("timeout"))
        if limit:
            found["timeout"] = limit
        expected = duration(stage.get("estimated_time"))
        if expected:
            found["estimate"] = {"duration": expected}
        return found

    def _retry(self, stage: Stage) -> Step:
        handling = stage.get("error_handling")
        table = handling if isinstance(handling, Table) else None
        again = number(stage.get("retry"))
        if table is not None:
            self.scribe.unread(
                table, ("strategy", "max_retries", "retry", "backoff", "fallback"), "`error_handling`"
            )
            again = number(table.get("max_retries")) or number(table.get("retry")) or again
            strategy = text(table.get("strategy"))
            if strategy not in {"", "retry", "fallback"}:
                why = f"`{strategy}` has no counterpart: an attempt is made again as it was"
                self.scribe.left_out(table.entry("strategy"), why, "name another stage as its `fallback`")
        if again is None:
            return {}
        backoff = text(table.get("backoff")) if table is not None else ""
        return {"max": again + 1, **({"factor": 1} if backoff in {"fixed", "constant", "none"} else {})}

    # --- conditions and texts -------------------------------------------------------------------------

    def _when(self, stage: Stage, names: Names) -> Step:
        if stage.kind == "branch":
            return {}
        tree = stage.get(*_WHEN)
        return {} if tree is None else {"when": "${" + self.condition(tree, names) + "}"}

    def condition(self, tree: Tree, names: Names) -> str:
        """Return a condition as one of our expressions; `false` after adding why it cannot be one."""
        if isinstance(tree, Table):
            return self._tested(tree, names)
        words = " and ".join(f"({one.text})" for one in texts(tree)) if isinstance(tree, List) else text(tree)
        try:
            return conditions.condition(words, names, self.missing(tree))
        except Unreadable as error:
            fix = error.fix or "write a comparison such as `${score} >= 80 AND ${risk} == 'low'`"
            self.scribe.error(
                CONDITION, f"this condition cannot be read: {error.message}", tree, cause=error.cause, fix=fix
            )
            return "false"

    def _tested(self, table: Table, names: Names) -> str:
        """Return a condition that is a mapping: a threshold, a comparison, or whether something exists."""
        self.scribe.unread(
            table,
            ("type", "metric", "threshold", "comparison", "exists", "path", "value", "left", "right"),
            "a condition",
        )
        subject = table.get("exists") or table.get("metric") or table.get("path") or table.get("left")
        words = text(subject).removeprefix("${").removesuffix("}")
        if table.get("exists") is not None or text(table.get("type")) == "exists":
            known = names.split(words)
            return f"exists({known[0].path}{known[1]})" if known else f"exists({self.missing(table)(words)})"
        sign = _SIGNS.get(text(table.get("comparison")), text(table.get("comparison")) or ">=")
        value = next(
            (one for one in (table.get(key) for key in ("threshold", "value", "right")) if one is not None),
            None,
        )
        if not words or value is None:
            wanted = 'write `{metric: "${score}", comparison: ">=", threshold: 80}`'
            self.scribe.refuse(table, "this condition", wanted)
            return "false"
        left = conditions.reference(words, names, self.missing(table))
        other = to_json(value)
        right = other if isinstance(other, str) and "${" in other else json.dumps(other)
        return conditions.condition(f"{left} {sign} {right}", names, lambda path: path)

    def template(self, words: str, at: Tree, names: Names) -> str:
        """Return a text of theirs as one of ours."""
        return conditions.template(words, names, self.missing(at)) if words else ""

    def missing(self, at: Tree) -> conditions.Missing:
        """Return what finds a name that no stage gives: a variable, what is remembered, else an input."""

        def find(path: str) -> str:
            root, _, rest = path.partition(".")
            if root == "variables" and rest.split(".")[0] in self._variables:
                return json.dumps(to_json(self._variables[rest.split(".")[0]]))
            if root == "cascade" and rest == "name":
                return json.dumps(self.cascade)
            if root == "memory" and rest in self._remembered:
                return path
            if root in {"inputs", "memory", "variables", "stage_outputs", "env"} and rest:
                root = rest.split(".")[0].split("[")[0]
                path = rest
            name = step_name(root.split("[")[0])
            self._declare(name, at)
            return f"inputs.{name}{path[len(root) :]}"

        return find

    def _declare(self, name: str, at: Tree) -> None:
        if name in self.declared or name in self.inputs:
            return
        self.inputs[name] = At({"type": "any"}, at.span.line)
        message = f"nothing in this file gives `{name}`: it is an input now"
        cause = "no stage before this one has an output of that name"
        fix = f"give it: `-i {name}=VALUE`; or name it under `outputs` of an earlier stage"
        self.scribe.warn(INPUT, message, at, cause=cause, fix=fix)


_SIGNS: Final = {
    "less_than": "<", "lt": "<", "less": "<", "below": "<", "greater_than": ">", "gt": ">", "greater": ">",
    "above": ">", "equals": "==", "equal": "==", "eq": "==", "not_equals": "!=", "ne": "!=", "at_least": ">=",
    "gte": ">=", "ge": ">=", "at_most": "<=", "lte": "<=", "le": "<=",
}  # fmt: skip
