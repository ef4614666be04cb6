"""A text that a user wrote, and how to point into it.

Rule 1: lines and columns count from 1, offsets from 0; a column counts characters, not bytes.
Rule 2: lines end where YAML ends them, so that a place found by the parser is found again here.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache

from maestri.errors import Diagnostic, Span
from maestri.records import NamedTuple

LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_SUGGESTED = 12  # more names than this in one message are not read
_NEAR = 0.6  # how much a word has in common with the one that was meant, from 0 to 1
_NEARER = 0.75  # the same where it begins with another letter, which few slips change


class Source(NamedTuple):
    """A text and the name under which it is shown: a file's name, or words such as `<text>`."""

    name: str
    text: str

    def line(self, n: int) -> str:
        """Return line `n` without its line break; an empty text where there is no such line."""
        starts = _line_starts(self.text)
        if not 1 <= n <= len(starts):
            return ""
        end = starts[n] if n < len(starts) else len(self.text)
        return self.text[starts[n - 1] : end].rstrip("\r\n\x85\u2028\u2029")

    def offset(self, line: int, col: int) -> int:
        """Return the offset of a place; a place beyond the text is its end."""
        starts = _line_starts(self.text)
        if line > len(starts):
            return len(self.text)
        return min(starts[line - 1] + col - 1, len(self.text))

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column of an offset."""
        starts = _line_starts(self.text)
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def span(self, start: int, end: int) -> Span:
        """Return the span between two offsets."""
        return Span(*self.place(start), *self.place(end))

    def diagnostic(
        self,
        code: str,
        message: str,
        span: Span | None,
        *,
        cause: str,
        fix: str,
        severity: str = "error",
    ) -> Diagnostic:
        """Return a diagnostic that points into this text; without a span it is about the whole of it.

        Neither `cause` nor `fix` is ever empty: who is told what is wrong is told why, and what to do.
        """
        snippet = self.line(span.line) if span is not None else None
        return Diagnostic(
            code,
            message,
            cause=cause,
            fix=fix,
            severity=severity,
            file=self.name,
            span=span,
            snippet=snippet,
        )


# Spans are asked for one at a time, all in the same text: the line table is made once for it.
@lru_cache(maxsize=4)
def _line_starts(text: str) -> list[int]:
    return [0, *(found.end() for found in LINE_BREAK.finditer(text))]


def suggest(word: str, known: Collection[str]) -> str:
    """Return what to write instead of an unknown word, as the end of a message.

    A close match gives "did you mean `parallel`?", otherwise the known words are listed; an empty text
    where nothing is known.
    """
    if not known:
        return ""
    meant = nearest(word, known)
    if meant:
        return f"did you mean `{meant}`?"
    names = sorted(known)
    listed = ", ".join(f"`{name}`" for name in names[:_SUGGESTED])
    return f"use one of: {listed}{', ...' if len(names) > _SUGGESTED else ''}"


def nearest(word: str, known: Collection[str]) -> str:
    """Return the known word that was most likely meant; an empty text where none is near enough."""
    by_lower = {name.lower(): name for name in known}
    lower = word.lower()[:200]
    for close in get_close_matches(lower, list(by_lower), n=3, cutoff=_NEAR):
        if close[:1] == lower[:1] or SequenceMatcher(None, lower, close).ratio() >= _NEARER:
            return by_lower[close]
    return ""
