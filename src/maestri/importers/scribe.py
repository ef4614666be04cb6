"""What the readers of all systems share: agents, names, durations, and what is said about a file."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from typing import Any, Final

from maestri.errors import Span
from maestri.importers.mending import whole_line
from maestri.lang.expressions.parse import FOREIGN
from maestri.lang.expressions.tokens import RESERVED
from maestri.lang.findings import Findings
from maestri.lang.source import Source, nearest, suggest
from maestri.lang.tree import Entry, Mapping, Scalar, Sequence, Tree, to_json
from maestri.records import NamedTuple

NO_MEANING: Final = "L311"
AGENTS: Final = "L312"
SHAPE: Final = "L313"
NEEDS: Final = "L316"
NOTHING: Final = "L317"
TWICE: Final = "L321"

_UNITS: Final = {"ms": "ms", "s": "s", "m": "m", "h": "h", "d": "d"}
_DURATION: Final = re.compile(r"(?:(\d+(?:\.\d+)?)\s*(?:-|to)\s*)?(\d+(?:\.\d+)?)\s*([A-Za-z]*)\.?\Z")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_WORDS: Final = {
    "ms": "ms", "millisecond": "ms", "milliseconds": "ms", "s": "s", "sec": "s", "secs": "s", "second": "s",
    "seconds": "s", "": "s", "m": "m", "min": "m", "mins": "m", "minute": "m", "minutes": "m", "h": "h",
    "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "d": "d", "day": "d", "days": "d", "w": "w",
    "week": "w", "weeks": "w",
}  # fmt: skip
_LISTED: Final = 8
# Keys of theirs that are no slips of others.
_THEIRS: Final = frozenset({
    "rules", "memory", "hopper", "wiggum", "daemon", "llm_monitor", "agent_rules", "merges", "topology",
    "strategy", "phase_completion_mode", "omnibus_branch", "orchestration_dir", "quality_gates", "config",
    "multi_model",
})  # fmt: skip


class Settings(NamedTuple):
    """How files of other systems are to be read: who answers for agents that nobody has configured."""

    default_agent: str = ""
    known_agents: frozenset[str] = frozenset()


class Scribe:
    """Takes down what is said about one file while it is read, and what its workflow needs."""

    def __init__(self, source: Source, settings: Settings) -> None:
        """Begin with nothing said."""
        self.source = source
        self.findings = Findings(source)
        self.inputs: dict[str, Any] = {}
        self._settings = settings
        self._unknown: dict[str, int] = {}

    # --- findings -----------------------------------------------------------------------------------

    def error(self, code: str, message: str, at: Tree | Span, *, cause: str, fix: str) -> None:
        """Add an error at a place."""
        self.findings.add(code, message, self._span(at), cause=cause, fix=fix)

    def warn(self, code: str, message: str, at: Tree | Span, *, cause: str, fix: str) -> None:
        """Add a warning at a place."""
        self.findings.add(code, message, self._span(at), cause=cause, fix=fix, severity="warning")

    def _span(self, at: Tree | Span) -> Span:
        """Return a place in the text as the user wrote it: mending may have moved columns."""
        span = at if isinstance(at, Span) else at.span
        found = self.source.offset(span.line, span.col)
        if isinstance(at, Scalar) and at.plain and not self.source.text.startswith(at.text[:20], found):
            return whole_line(self.source, span.line)
        return span if span.line == span.end_line else whole_line(self.source, span.line)

    def refuse(self, at: Tree, what: str, wanted: str) -> None:
        """Add that a part has another form than it can have."""
        message, cause = f"{what} cannot be read", f"it is {_kind(at)} here"
        self.error(SHAPE, message, at, cause=cause, fix=wanted)

    def unread(self, table: Mapping, known: Collection[str], what: str, *, met: Collection[str] = ()) -> None:
        """Warn of each key that means nothing here.

        Args:
            table: The mapping.
            known: The keys that were read.
            what: What the mapping describes, such as `a stage`.
            met: Keys that ask for what is so in any case; nothing is said of them.
        """
        for entry in table.entries:
            key = entry.key.text
            if key in known or key in met or key.startswith(("$", "_")):
                continue
            near = "" if key in _THEIRS else nearest(key, known)
            fix = (
                f"did you mean `{near}`?" if near else "remove it, or say it in our words: see the reference"
            )
            message = f"`{key[:80]}` of {what} means nothing here, and is left out"
            cause = "there is no construct or property that it could become"
            self.warn(NO_MEANING, message, entry.key, cause=cause, fix=fix)

    def left_out(self, entry: Entry | None, why: str, instead: str) -> None:
        """Warn of a key that is understood, and not followed by this version."""
        if entry is not None:
            message = f"`{entry.key.text}` is read, and not enforced"
            self.warn(NO_MEANING, message, entry.key, cause=why, fix=instead)

    # --- agents -------------------------------------------------------------------------------------

    def agent(self, *names: str, line: int) -> str:
        """Return who is asked: the first of some names that is configured, else the default agent."""
        found = next((name for name in names if name in self._settings.known_agents), "")
        if found:
            return found
        self._unknown.setdefault(next((name for name in names if name), "agent"), line)
        return self._settings.default_agent or "agent"

    def conclude(self) -> str:
        """Say how agents that nobody has configured are answered for; return it in one line."""
        default, known = self._settings.default_agent, self._settings.known_agents
        names = list(self._unknown)
        listed = ", ".join(f"`{name}`" for name in names[:_LISTED]) + (
            ", ..." if len(names) > _LISTED else ""
        )
        at = whole_line(self.source, next(iter(self._unknown.values()), 1))
        if default and default not in known:
            message = f"there is no agent `{default[:80]}` that could answer for others"
            cause = "it is given by `--default-agent`, MAESTRI_DEFAULT_AGENT or a config.yaml"
            self.error(AGENTS, message, at, cause=cause, fix=suggest(default, known))
        elif names and not default:
            message = f"nobody is configured for {listed}"
            cause = "the file names them, and this project has no agents of these names"
            fix = (
                "say who answers: `--default-agent NAME`, MAESTRI_DEFAULT_AGENT, or `default_agent:` in "
                ".maestri/config.yaml (`echo` is a scripted one)"
            )
            self.error(AGENTS, message, at, cause=cause, fix=fix)
        elif names:
            message = f"`{default}` answers for {listed}"
            cause = (
                "this project has no agents of these names, and `--default-agent` says who answers for them"
            )
            fix = "nothing, where that is meant; else define them under `agents:` of the imported file"
            self.warn(AGENTS, message, at, cause=cause, fix=fix)
            return f"Answered for by `{default}`: {', '.join(names)}."
        return ""


# --- values ---------------------------------------------------------------------------------------


def step_name(text: str, taken: Collection[str] = ()) -> str:
    """Return a name for a step from any text, another one than those that are taken."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", text.strip()).strip("-_")
    name = re.sub(r"^[^A-Za-z]+", "", name)[:56] or "step"
    if name in RESERVED or name in FOREIGN or name in {"inputs", "memory"}:
        name += "-step"
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    return found


def duration(tree: Tree | None, *, unit: str = "s") -> str | None:
    """Return a duration as we write it: of `2-3 days` the longer one; None where it is none."""
    if not isinstance(tree, Scalar) or isinstance(tree.value, bool):
        return None
    found = _DURATION.match(tree.text.strip().lower())
    if found is None or found[3] not in _WORDS:
        return None
    seconds = float(found[2]) * _SECONDS[_WORDS[found[3]] if found[3] else unit]
    whole = round(seconds * 1000)
    for name, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        if whole and whole % size == 0:
            return f"{whole // size}{name}"
    return None


def texts(tree: Tree | None) -> list[Scalar]:
    """Return the scalars of a list, or the one that stands for a list."""
    if isinstance(tree, Sequence):
        return [one for one in tree.items if isinstance(one, Scalar) and one.text]
    return [tree] if isinstance(tree, Scalar) and tree.text else []


def text(tree: Tree | None) -> str:
    """Return the text of a scalar; an empty one for anything else."""
    return tree.text.strip() if isinstance(tree, Scalar) and tree.value is not None else ""


def number(tree: Tree | None) -> int | None:
    """Return a whole number from 1; None where it is none."""
    value = tree.value if isinstance(tree, Scalar) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def is_true(tree: Tree | None) -> bool:
    """Tell whether a scalar is true, also by a word that older YAML has for it."""
    return isinstance(tree, Scalar) and tree.text.lower() in {"true", "yes", "on"}


def is_false(tree: Tree | None) -> bool:
    """Tell whether a scalar is false, also by a word that older YAML has for it."""
    return isinstance(tree, Scalar) and tree.text.lower() in {"false", "no", "off"}


def plain(tree: Tree) -> str:
    """Return any value as a text for a prompt."""
    if isinstance(tree, Scalar):
        return tree.text
    found = to_json(tree)
    if isinstance(found, list) and all(isinstance(one, str) for one in found):
        return ", ".join(str(one) for one in found)
    return json.dumps(found, ensure_ascii=False)


def literal(words: str) -> str:
    """Return a text in which nothing is an expression."""
    return words.replace("${", "$${")


def _kind(tree: Tree) -> str:
    if isinstance(tree, Mapping):
        return "a mapping"
    return "a list" if isinstance(tree, Sequence) else f"`{tree.text[:60]}`"


def lines_of(parts: Iterable[str]) -> str:
    """Return the parts of a prompt that say something, a line each."""
    return "\n".join(part for part in parts if part)
