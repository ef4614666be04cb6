"""The form of every message and of every recorded failure: what, where, why, and what to do.

Rule: a `Diagnostic` is data; the terminal, the page and the journal each render it their own way.
"""

from __future__ import annotations

from typing import Any

from maestri.records import NamedTuple


class Span(NamedTuple):
    """A place in a text: lines and columns count from 1; the end is exclusive."""

    line: int
    col: int
    end_line: int
    end_col: int


class Diagnostic(NamedTuple):
    """What went wrong, where, why, and what to do about it: the one form of every message.

    `snippet` is the source line the caret points into, kept here so that whoever shows the message
    does not need the file. `severity` is `error` or `warning`.
    """

    code: str
    message: str
    cause: str = ""
    fix: str = ""
    severity: str = "error"
    file: str | None = None
    span: Span | None = None
    snippet: str | None = None
    run: str | None = None
    path: str | None = None
    attempt: int | None = None

    def where(self) -> str:
        """Return `file:line:col`, or run, path and attempt, or an empty text."""
        if self.span is not None:
            return f"{self.file or '<text>'}:{self.span.line}:{self.span.col}"
        if self.file is not None:
            return self.file
        parts = []
        if self.run is not None:
            parts.append(f"run {self.run}")
        if self.path is not None:
            parts.append(self.path)
        place = " ".join(parts)
        return f"{place}, attempt {self.attempt}" if place and self.attempt is not None else place

    def text(self) -> str:
        """Return the message as plain text: place, severity, code, caret, cause and fix."""
        where = self.where()
        head = f"{where}: " if where else ""
        lines = [f"{head}{self.severity}[{self.code}]: {self.message}"]
        if self.snippet is not None and self.span is not None:
            lines += _caret(self.snippet, self.span)
        if self.cause:
            lines.append(f"  cause: {self.cause}")
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Return the fields that are set as a JSON object, the span as four numbers."""
        found: dict[str, Any] = {}
        for field, value in self._asdict().items():
            if isinstance(value, Span):
                found[field] = dict(value._asdict())
            elif value is not None and value != "":
                found[field] = value
        return found


def _caret(snippet: str, span: Span) -> list[str]:
    """Return the source line and a line of carets under the span, cut to a readable width."""
    width = 120
    start = max(0, span.col - 1 - width // 2) if span.col > width else 0
    shown = snippet[start : start + width].replace("\t", " ")
    end = span.end_col if span.end_line == span.line else len(snippet) + 1
    marks = max(1, min(end, start + len(shown) + 1) - span.col)
    before = "…" if start else ""  # what is cut off is seen to be
    after = "…" if len(snippet) > start + width else ""
    return [f"    {before}{shown}{after}", "    " + " " * (span.col - 1 - start + len(before)) + "^" * marks]


class Failure(NamedTuple):
    """A failure as it is journaled: enough to raise the same error again."""

    type: str
    code: str
    message: str
    path: str | None = None
    attempt: int | None = None
    fix: str = ""
    cause: str = ""
    detail: Any = None

    def as_json(self) -> dict[str, Any]:
        """Return the fields that are set as a JSON object."""
        return {k: v for k, v in self._asdict().items() if v is not None and v != ""}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Failure:
        """Return the failure that `as_json` wrote; unknown fields are ignored."""
        known = {k: v for k, v in record.items() if k in cls._fields}
        return cls(**known)
