"""Collects what is wrong in one file, all of it, and turns it into diagnostics sorted by place."""

from __future__ import annotations

from collections.abc import Collection

from maestri.errors import Diagnostic, Span
from maestri.lang.expressions.template import Template, parse_template
from maestri.lang.expressions.tokens import BadExpression
from maestri.lang.source import Source, suggest
from maestri.lang.tree import Scalar, span_in


class Findings:
    """The findings in one source."""

    def __init__(self, source: Source) -> None:
        """Begin with none."""
        self.source = source
        self.found: list[Diagnostic] = []

    def add(
        self, code: str, message: str, span: Span, *, cause: str = "", fix: str = "", severity: str = "error"
    ) -> None:
        """Add a finding at a place."""
        found = self.source.diagnostic(code, message, span, cause=cause, fix=fix, severity=severity)
        if found not in self.found:
            self.found.append(found)

    def unknown(self, what: str, key: Scalar, known: Collection[str], code: str = "L201") -> None:
        """Add that a word is not known, with what was probably meant."""
        self.add(code, f"unknown {what} `{key.text}`", key.span, fix=suggest(key.text, known))

    def expression(self, scalar: Scalar, error: BadExpression, code: str = "L301") -> None:
        """Add an error of an expression, at its place inside the scalar."""
        span = span_in(scalar, self.source, error.start, error.end)
        self.add(code, error.message, span, cause=error.cause, fix=error.fix)

    def template(self, scalar: Scalar) -> Template | None:
        """Return the parsed template of a scalar, or None after adding what is wrong with it."""
        try:
            return parse_template(scalar.text)
        except BadExpression as error:
            self.expression(scalar, error)
            return None

    def sorted(self) -> list[Diagnostic]:
        """Return the findings in the order of their places."""
        return in_order(self.found)


def in_order(found: list[Diagnostic]) -> list[Diagnostic]:
    """Return diagnostics sorted by file, place and code."""
    return sorted(found, key=lambda d: (d.file or "", d.span or Span(0, 0, 0, 0), d.code))
