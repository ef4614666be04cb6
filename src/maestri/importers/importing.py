"""A file of another system as our YAML: recognised, read, written, with the lines that it comes from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any, Final

from maestri.errors import Diagnostic, Span
from maestri.importers import recognising
from maestri.importers.cascade import read_cascade
from maestri.importers.czarina import read_czarina
from maestri.importers.mending import mended, whole_line
from maestri.importers.recognising import CASCADE, CZARINA, TASK_ORCHESTRATOR, recognised
from maestri.importers.scribe import Scribe, Settings
from maestri.importers.task_orchestrator import read_task_orchestrator
from maestri.importers.writing import written
from maestri.lang.findings import in_order
from maestri.lang.load import Loaded, load
from maestri.lang.source import Source
from maestri.lang.tree import Entry, Mapping, Scalar, Tree
from maestri.lang.tree import Sequence as List
from maestri.records import NamedTuple

UNKNOWN: Final = "L310"

_READERS: Final[dict[str, Callable[[Scribe, Mapping, str], dict[str, Any]]]] = {
    CASCADE: read_cascade,
    TASK_ORCHESTRATOR: read_task_orchestrator,
    CZARINA: read_czarina,
}


class Imported(NamedTuple):
    """What a file has become: our text with the lines that it comes from, and all findings.

    `text` is empty where nothing can be run; there are errors among the findings then.
    """

    dialect: str
    text: str
    lines: tuple[int, ...]
    findings: list[Diagnostic]


def imported(source: Source, settings: Settings, dialect: str = "") -> Imported | None:
    """Return a file of another system as ours; None where it is of no system that is known.

    Args:
        source: The file.
        settings: Who answers for agents that nobody has configured.
        dialect: The system; by recognition without it.
    """
    loaded, problems = mended(source)
    if problems:
        return Imported(dialect, "", (), problems)
    if loaded.tree is None:
        return Imported(dialect, "", (), loaded.diagnostics) if dialect else None
    found = dialect or recognised(loaded.tree)
    if not found:
        return None
    scribe = Scribe(source, settings)
    stem = PurePath(source.name).name.partition(".")[0] or "workflow"
    document = _READERS[found](scribe, loaded.tree, stem)
    answered = " ".join(scribe.conclude().split())
    findings = in_order([*loaded.diagnostics, *scribe.findings.sorted()])
    if any(one.severity == "error" for one in findings):
        return Imported(found, "", (), findings)
    made = written(
        document,
        [
            f"From {PurePath(source.name).name}, a file of {_CALLED[found]}.",
            *([answered] if answered else []),
        ],
    )
    return Imported(found, made.text, made.lines, findings)


def unrecognised(source: Source) -> Diagnostic:
    """Return what is said of a file that is of no known system."""
    message = "this is a file of no system that is known"
    cause = "it has neither stages nor workers, and no key of a task orchestrator"
    fix = f"say what it is: `--as {'|'.join(recognising.DIALECTS)}`; a workflow of ours needs no import"
    return source.diagnostic(UNKNOWN, message, Span(1, 1, 1, 2), cause=cause, fix=fix)


def as_loaded(text: str, lines: Sequence[int], source: Source, findings: list[Diagnostic]) -> Loaded:
    """Return what was made of a file as a tree whose places are those of the file itself.

    Args:
        text: Our text.
        lines: For each line of it, the line that it comes from.
        source: The file.
        findings: What was said about it.
    """
    if not text:
        return Loaded(None, source, findings)
    loaded = load(text, source.name)
    places = _Places(source, lines)
    tree = None if loaded.tree is None else places.mapping(loaded.tree)
    return Loaded(tree, source, [*findings, *(places.finding(one) for one in loaded.diagnostics)])


class _Places:
    """Moves what was made to the places in the user's file."""

    def __init__(self, source: Source, lines: Sequence[int]) -> None:
        self._source = source
        self._lines = lines

    def span(self, span: Span) -> Span:
        line = self._lines[min(span.line, len(self._lines)) - 1] if self._lines else 1
        return whole_line(self._source, max(line, 1))

    def finding(self, found: Diagnostic) -> Diagnostic:
        span = self.span(found.span or Span(1, 1, 1, 2))
        return found._replace(span=span, snippet=self._source.line(span.line))

    def mapping(self, tree: Mapping) -> Mapping:
        entries = [Entry(self._scalar(one.key), self._tree(one.value)) for one in tree.entries]
        return Mapping(entries, self.span(tree.span))

    def _tree(self, tree: Tree) -> Tree:
        if isinstance(tree, Mapping):
            return self.mapping(tree)
        if isinstance(tree, List):
            return List([self._tree(one) for one in tree.items], self.span(tree.span))
        return self._scalar(tree)

    def _scalar(self, tree: Scalar) -> Scalar:
        return tree._replace(span=self.span(tree.span))


_CALLED: Final = {
    CASCADE: "cascades",
    TASK_ORCHESTRATOR: "a task orchestrator",
    CZARINA: "Czarina",
}
