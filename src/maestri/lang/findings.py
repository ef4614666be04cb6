"""Collects what is wrong in one file, all of it, and turns it into diagnostics sorted by place."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from maestri.errors import Diagnostic, Span
from maestri.lang.expressions.template import Template, parse_template
from maestri.lang.expressions.tokens import Unreadable
from maestri.lang.source import Source, suggest
from maestri.lang.tree import Scalar, span_in

MAX_FINDINGS: Final = 100  # of one severity; a file with more is not the file that was meant
MORE: Final = "L230"

# Why a word is refused, by the kind of word.
_CAUSES: Final = {
    "key": "a key that nothing reads is refused, so that a typing error is never passed over",
    "verb": "what is no property of every step is read as its verb, and there is no such verb",
    "type": "what an input may be is said by one of a few words",
    "kind": "`retry` knows failures by a few words, and by codes such as `S101`",
}


class Findings:
    """The findings in one source.

    `unread` are names of steps that could not be read: what refers to them is not wrong for that.
    """

    def __init__(self, source: Source) -> None:
        """Begin with none."""
        self.source = source
        self.found: list[Diagnostic] = []
        self.unread: set[str] = set()
        self._seen: set[tuple[str, str, Span]] = set()
        self._count = {"error": 0, "warning": 0}

    def is_full(self, severity: str = "error") -> bool:
        """Tell whether no more findings of a severity are taken in; errors never make room for warnings."""
        return self._count[severity] > MAX_FINDINGS

    def add(
        self, code: str, message: str, span: Span, *, cause: str, fix: str, severity: str = "error"
    ) -> None:
        """Add a finding at a place; one that is there already is not added again."""
        if self.is_full(severity):
            return
        if (code, message, span) in self._seen:
            return
        self._seen.add((code, message, span))
        self._count[severity] += 1
        found = self.source.diagnostic(code, message, span, cause=cause, fix=fix, severity=severity)
        if self.is_full(severity):
            message = f"there are more than {MAX_FINDINGS} {severity}s in this file"
            cause = "a file with so many is most likely not the file that was meant"
            fix = "mend these first"
            found = self.source.diagnostic(MORE, message, None, cause=cause, fix=fix, severity=severity)
        self.found.append(found)

    def unknown(
        self, what: str, key: Scalar, known: Collection[str], code: str = "L201", *, fix: str = ""
    ) -> None:
        """Add that a word is not known, with what was probably meant.

        Args:
            what: What it was read as, such as `key of a step`; the first word is one of `_CAUSES`.
            key: The word.
            known: The words that there are.
            code: The code of the finding.
            fix: What to write instead, where more is known than a list of words.
        """
        if not self.is_full():
            kind, _, rest = what.partition(" ")
            message = f"unknown {kind} `{key.text[:80]}` {rest}".rstrip()
            self.add(code, message, key.span, cause=_CAUSES[kind], fix=fix or suggest(key.text, known))

    def expression(self, scalar: Scalar, error: Unreadable, code: str = "L301") -> None:
        """Add that an expression cannot be read, at its place inside the scalar."""
        self.inside(scalar, error.start, error.end, code, error.message, cause=error.cause, fix=error.fix)

    def inside(
        self,
        scalar: Scalar,
        start: int,
        end: int,
        code: str,
        message: str,
        *,
        cause: str,
        fix: str,
        severity: str = "error",
    ) -> None:
        """Add a finding about a part of a scalar's text, from `start` up to `end`."""
        if not self.is_full(severity):
            span = span_in(scalar, self.source, start, end)
            self.add(code, message, span, cause=cause, fix=fix, severity=severity)

    def template(self, scalar: Scalar) -> Template | None:
        """Return the parsed template of a scalar, or None after adding what is wrong with it."""
        try:
            return parse_template(scalar.text)
        except Unreadable as error:
            self.expression(scalar, error)
            return None

    def sorted(self) -> list[Diagnostic]:
        """Return the findings in the order of their places."""
        return in_order(self.found)


def in_order(found: list[Diagnostic]) -> list[Diagnostic]:
    """Return diagnostics sorted by file, place and code."""
    return sorted(found, key=lambda d: (d.file or "", d.span or Span(0, 0, 0, 0), d.code))
