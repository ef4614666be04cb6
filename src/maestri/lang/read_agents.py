"""Reads `agents:` of a file: named agents with a back end of this version and its fixed options."""

from __future__ import annotations

from typing import Final

from maestri.lang import read_values as read
from maestri.lang.findings import Findings
from maestri.lang.keys import AGENT_KEYS, BACKENDS, OUTPUT_FORMATS, TIERS
from maestri.lang.model import FileAgent
from maestri.lang.parts import part
from maestri.lang.source import suggest
from maestri.lang.tree import Entry, Mapping, Scalar, Tree, to_json
from maestri.values import Json

UNKNOWN_BACKEND: Final = "L272"


def read_agents(findings: Findings, tree: Tree) -> dict[str, FileAgent]:
    """Read the agents of a file, or add what is wrong with them."""
    table = read.mapping(findings, tree, "`agents`", "write `NAME: {backend: run, command: …}`")
    found: dict[str, FileAgent] = {}
    for entry in () if table is None else table.entries:
        name = read.name(findings, entry.key, "an agent")
        inner = read.mapping(findings, entry.value, f"the agent `{entry.key.text}`", "write `{backend: run}`")
        if name is not None and inner is not None:
            agent = _agent(findings, entry, inner)
            if agent is not None:
                found[name] = agent
    return found


def _agent(findings: Findings, entry: Entry, table: Mapping) -> FileAgent | None:
    backend = table.get("backend")
    what = f"the agent `{entry.key.text}`"
    if backend is None:
        cause, fix = "nobody knows what answers for it", f"add `backend:`, one of: {', '.join(BACKENDS)}"
        findings.add("L202", f"{what} has no `backend`", entry.key.span, cause=cause, fix=fix)
        return None
    word = backend.text if isinstance(backend, Scalar) else ""
    if word not in BACKENDS:
        cause = "a back end is what answers for an agent, and this version has no such one"
        message = f"there is no back end `{word[:80]}`"
        findings.add(UNKNOWN_BACKEND, message, backend.span, cause=cause, fix=suggest(word, BACKENDS))
        return None
    options: dict[str, Json] = {}
    known = {"backend", *(key for key, of in AGENT_KEYS.items() if word in of)}
    for inner in table.entries:
        if inner.key.text not in known:
            findings.unknown(f"key of a `{word}` agent", inner.key, sorted(known))
        elif inner.key.text != "backend":
            options[inner.key.text] = _option(findings, inner)
    _check_required(findings, entry, word, options)
    return FileAgent(entry.key.text, entry.key.span, word, options)


def _check_required(findings: Findings, entry: Entry, backend: str, options: dict[str, Json]) -> None:
    needed = BACKENDS[backend]
    if not any(key in options for key in needed):
        listed = " or ".join(f"`{key}`" for key in needed)
        message = f"the agent `{entry.key.text}` needs {listed}"
        cause = "that is what answers for it"
        findings.add("L202", message, entry.key.span, cause=cause, fix=f"add `{needed[0]}:`")


def _option(findings: Findings, entry: Entry) -> Json:
    key, tree = entry.key.text, entry.value
    if key in {"instructions", "model", "function"}:
        return read.literal_text(findings, tree, f"`{key}`")
    if key == "tier":
        return _word(findings, tree, key, TIERS)
    if key == "output":
        return _word(findings, tree, key, OUTPUT_FORMATS)
    if key == "sandbox":
        return part("sandbox")(findings, tree)  # type: ignore[no-any-return]
    value = to_json(tree)
    is_command = isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(v, str) for v in value)
    )
    if (key == "command" and not (is_command and value)) or (
        key in {"env", "answers"} and not isinstance(value, dict)
    ):
        cause = "it is handed to the back end as it is written"
        fix = "write a text or a list of texts" if key == "command" else "write `{name: value}`"
        message = f"`{key}` cannot be a {read.kind_of(tree)}"
        findings.add(read.WRONG, message, tree.span, cause=cause, fix=fix)
    return value


def _word(findings: Findings, tree: Tree, key: str, words: tuple[str, ...]) -> str:
    text = tree.text if isinstance(tree, Scalar) else ""
    if text not in words:
        cause = "only these words mean something here"
        message = f"`{key}` cannot be `{text[:60]}`"
        findings.add(read.WRONG, message, tree.span, cause=cause, fix=suggest(text, words))
    return text
