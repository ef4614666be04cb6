"""The stages of a cascade in all forms that they are written in: names, arrows, lists, mappings."""

from __future__ import annotations

import re
from typing import Final

from maestri.importers.scribe import TWICE, Scribe, step_name, text
from maestri.lang.source import suggest
from maestri.lang.tree import Entry, Mapping, Scalar, Sequence, Tree
from maestri.records import NamedTuple

UNKNOWN_TYPE: Final = "L315"

IDS: Final = ("stage_id", "stage", "id", "name")
INNER: Final = ("stages", "substages", "skills", "tasks", "iteration_loop")
_ARROWS: Final = re.compile(r"\s*(?:→|➜|⇒|->|=>)\s*")
TYPES: Final = {
    "sequential": "", "task": "", "skill": "", "multi-model": "", "parallel": "parallel",
    "swarm-parallel": "parallel", "swarm": "parallel", "conditional": "branch", "iterative": "loop",
    "loop": "loop", "codex-sandbox": "repair", "sandbox": "repair", "nested": "nested", "cascade": "nested",
}  # fmt: skip
_HINTS: Final = (
    ("branches", "branch"), ("repeat_until", "loop"), ("repeat_while", "loop"), ("codex_config", "repair"),
    ("cascade", "nested"), ("for_each", "nested"), ("swarm_config", "parallel"), ("streaming", "parallel"),
    ("report_as_available", "parallel"), ("max_iterations", "loop"),
)  # fmt: skip
_CONFIG: Final = frozenset({
    "type", "skill", "skills", "inputs", "outputs", "model", "condition", "dependencies", "error_handling",
    "branches", "stages", "substages", "max_iterations", "repeat_until", "repeat_while", "cascade",
    "for_each", "timeout", "description", "codex_config", "swarm_config",
})  # fmt: skip


class Stage(NamedTuple):
    """One stage: its name here and there, the place of its name, what kind it is, and what it holds."""

    name: str
    written: str
    at: Tree
    kind: str = ""
    table: Mapping | None = None
    inner: tuple[Stage, ...] = ()
    words: str = ""

    def get(self, *keys: str) -> Tree | None:
        """Return the value of the first of some keys that it has."""
        found = (self.table.get(key) for key in keys) if self.table is not None else ()
        return next((one for one in found if one is not None), None)

    def entry(self, key: str) -> Entry | None:
        """Return a key with its value."""
        return None if self.table is None else self.table.entry(key)


def read_stages(scribe: Scribe, tree: Tree | None) -> tuple[Stage, ...]:
    """Return the stages of one body, in order; add what is wrong with them."""
    reader = _Reader(scribe)
    reader.read(tree)
    return tuple(reader.found)


class _Reader:
    def __init__(self, scribe: Scribe) -> None:
        self.found: list[Stage] = []
        self._scribe = scribe
        self._taken: set[str] = set()

    def read(self, tree: Tree | None) -> None:
        if isinstance(tree, Sequence):
            for item in tree.items:
                self._item(item)
        elif isinstance(tree, Mapping):
            for entry in tree.entries:
                self._named(entry)
        elif isinstance(tree, Scalar) and tree.text:
            self._item(tree)

    def _item(self, tree: Tree) -> None:
        if isinstance(tree, Scalar):
            for piece in _ARROWS.split(tree.text) if tree.text else ():
                if piece:
                    self._add(piece, tree)
        elif isinstance(tree, Sequence):
            self._add("parallel", tree, kind="parallel", inner=read_stages(self._scribe, tree))
        elif (key := next((key for key in IDS if text(tree.get(key))), None)) is not None:
            place = tree.get(key)
            self._configured(text(place), place or tree, tree)
        elif tree.entries and _is_outdented(tree):
            rest = Mapping(tree.entries[1:], tree.span)
            self._configured(tree.entries[0].key.text, tree.entries[0].key, rest)
        else:
            for entry in tree.entries:
                self._named(entry)

    def _named(self, entry: Entry) -> None:
        name, value = entry.key.text, entry.value
        if isinstance(value, Mapping):
            self._configured(name, entry.key, value)
        elif isinstance(value, Sequence):
            kind = "steps" if name.lower().startswith(("sequen", "seq-", "seq_")) else "parallel"
            self._add(name, entry.key, kind=kind, inner=read_stages(self._scribe, value))
        elif name in _CONFIG:
            wanted = "write `- NAME:` and the keys of the stage below it, indented"
            self._scribe.refuse(entry.key, f"the stage that `{name}` belongs to", wanted)
        else:
            self._add(name, entry.key, words="" if value.value is None else value.text)

    def _configured(self, name: str, at: Tree, table: Mapping) -> None:
        inner: tuple[Stage, ...] = ()
        for key in INNER:
            if table.get(key) is not None:
                inner += read_stages(self._scribe, table.get(key))
        kind = self._kind(table, inner)
        if (
            kind not in {"branch", "loop", "repair", "nested", "parallel"}
            and len(inner) == 1
            and table.get("skills")
        ):
            kind, inner = "", ()
        self._add(name, at, kind=kind, inner=inner, table=table)

    def _kind(self, table: Mapping, inner: tuple[Stage, ...]) -> str:
        word = table.get("type")
        if word is None:
            found = next((kind for key, kind in _HINTS if table.get(key) is not None), "")
            found = "parallel" if text(table.get("mode")) == "progressive" else found
        else:
            found = TYPES.get(text(word).lower().replace("_", "-"), "?")
        if found == "?":
            message = f"`{text(word)[:60]}` is no type of a stage"
            cause = "the type decides what becomes of the stage"
            self._scribe.error(
                UNKNOWN_TYPE, message, word or table, cause=cause, fix=suggest(text(word), TYPES)
            )
            return ""
        if found == "branch" and table.get("branches") is None:
            found = ""
        if found == "parallel" and not inner:
            found = ""
        return found or ("steps" if inner else "")

    def _add(
        self,
        written: str,
        at: Tree,
        *,
        kind: str = "",
        inner: tuple[Stage, ...] = (),
        table: Mapping | None = None,
        words: str = "",
    ) -> None:
        if any(one.written == written for one in self.found) and not isinstance(at, Sequence):
            message = f"two stages are called `{written[:60]}`"
            cause = "a stage is referred to by its name"
            self._scribe.error(TWICE, message, at, cause=cause, fix="rename one of them")
        name = step_name(written, self._taken)
        self._taken.add(name)
        self.found.append(Stage(name, written, at, kind, table, inner, words))


def _is_outdented(table: Mapping) -> bool:
    """Tell whether `- name:` is followed by its own keys in the column of the name: meant to be below it."""
    first, rest = table.entries[0], table.entries[1:]
    is_empty = isinstance(first.value, Scalar) and first.value.value is None
    return (
        is_empty
        and bool(rest)
        and first.key.text not in _CONFIG
        and all(one.key.text in _CONFIG for one in rest)
    )
