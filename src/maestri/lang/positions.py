"""Where each character of a decoded YAML scalar came from.

The parser tells where a scalar begins and ends, but not which character of its text stands where. So the
scalar is decoded once more here, noting origins. Rule: the result is compared with what the parser has
decoded; where the two differ there is no answer rather than a wrong one.
"""

from __future__ import annotations

from functools import lru_cache

from maestri.lang.source import LINE_BREAK

_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r",
    "e": "\x1b", " ": " ", '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028",
    "P": "\u2029",
}  # fmt: skip
_HEX_LENGTHS = {"x": 2, "u": 4, "U": 8}
_KEPT_BREAKS = "\u2028\u2029"  # every other line break is read as a newline


class _Decoded:
    """Characters with their origins, as decoding finds them."""

    def __init__(self) -> None:
        self.chars: list[str] = []
        self.at: list[int] = []

    def add(self, char: str, origin: int) -> None:
        self.chars.append(char)
        self.at.append(origin)

    def drop_blanks(self, floor: int) -> None:
        """Take blanks at the end back, down to a length: those before a line break do not count."""
        while len(self.chars) > floor and self.chars[-1] in " \t":
            self.chars.pop()
            self.at.pop()


# A scalar with many expressions is asked about many times in a row.
@lru_cache(maxsize=4)
def origins(text: str, start: int, end: int, decoded: str) -> list[int] | None:
    """Return the offset in `text` of each character of a scalar, and one more: where its content ends.

    Args:
        text: The whole file.
        start: Where the scalar begins: at its quote, its `|` or `>`, or its first character.
        end: Where it ends; exclusive.
        decoded: What the parser made of it.

    Returns:
        One more offset than `decoded` has characters; None where decoding here gives another text.
    """
    if not decoded:
        return [min(start + 1, end) if text[start : start + 1] in {"'", '"'} else start]
    if text[start : start + 1] in {"|", ">"} and (found := _block(text, start, end, decoded)) is not None:
        return found
    if text[start : start + 1] in {"'", '"'}:
        return _checked(_flow(text, start + 1, end - 1, text[start]), decoded)
    return _checked(_flow(text, start, end, ""), decoded)


def _checked(found: _Decoded, decoded: str) -> list[int] | None:
    if "".join(found.chars[: len(decoded)]) != decoded:
        return None
    at = found.at[: len(decoded)]
    at.append(found.at[len(decoded)] if len(found.at) > len(decoded) else at[-1] + 1)
    return at


def _flow(text: str, start: int, end: int, quote: str) -> _Decoded:
    """Decode a plain or quoted scalar: `quote` is empty, `'` or `"`."""
    found = _Decoded()
    floor = 0  # characters before this came from an escape and stay, even where they are blanks
    at = start
    while at < end:
        if (line_break := LINE_BREAK.match(text, at, end)) is not None:
            found.drop_blanks(floor)
            at = _fold(text, line_break.start(), end, found)
        elif text[at] == "\\" and quote == '"':
            at = _escape(text, at, end, found)
            floor = len(found.chars)
        else:
            found.add(text[at], at)
            at += 2 if quote == "'" and text.startswith("''", at) else 1
    return found


def _fold(text: str, at: int, end: int, found: _Decoded, *, escaped: bool = False) -> int:
    """Decode a line break and the empty lines after it; returns where the next line's text begins."""
    breaks = []
    while (line_break := LINE_BREAK.match(text, at, end)) is not None:
        breaks.append((at, _as_break(line_break.group())))
        at = line_break.end()
        while at < end and text[at] in " \t":
            at += 1
    first, char = breaks[0]
    if char == "\n" and len(breaks) == 1 and not escaped:
        found.add(" ", first)
    for origin, kept in breaks[1:] if char == "\n" or escaped else breaks:
        found.add(kept, origin)
    return at


def _escape(text: str, at: int, end: int, found: _Decoded) -> int:
    if LINE_BREAK.match(text, at + 1, end) is not None:
        return _fold(text, at + 1, end, found, escaped=True)
    letter = text[at + 1 : at + 2]
    length = _HEX_LENGTHS.get(letter, 0)
    if not length:
        found.add(_ESCAPES.get(letter, letter), at)
        return at + 2
    try:
        found.add(chr(int(text[at + 2 : at + 2 + length], 16)), at)
    except (ValueError, OverflowError):
        found.add("", at)  # the parser has refused it; the comparison at the end will not hold
    return at + 2 + length


def _as_break(text: str) -> str:
    return text if text in _KEPT_BREAKS else "\n"


def _block(text: str, start: int, end: int, decoded: str) -> list[int] | None:
    lines = _lines(text, start, end)
    header = lines.pop(0)[1]
    widths = [len(content) - len(content.lstrip(" ")) for _, content, _ in lines if content.strip(" ")]
    explicit = any(char.isdigit() for char in header.split("#")[0])
    # What an indentation of n means depends on the lines above the scalar: find the width that fits.
    only_blank = [max((len(content) for _, content, _ in lines), default=0)]
    for indent in range(widths[0] + 1) if widths and explicit else widths[:1] or only_blank:
        found = _checked(_block_lines(lines, indent, folded=header.startswith(">")), decoded)
        if found is not None:
            return found
    return None


def _lines(text: str, start: int, end: int) -> list[tuple[int, str, str]]:
    """Return offset, content and line break of each line between two offsets."""
    lines = []
    for line_break in LINE_BREAK.finditer(text, start, end):
        lines.append((start, text[start : line_break.start()], _as_break(line_break.group())))
        start = line_break.end()
    lines.append((start, text[start:end], ""))
    return lines


def _block_lines(lines: list[tuple[int, str, str]], indent: int, *, folded: bool) -> _Decoded:
    found = _Decoded()
    pending: list[tuple[str, int]] = []  # breaks of empty lines
    last = ("", 0)  # the break of the last line with content
    last_blank = True
    for offset, content, line_break in lines:
        if len(content) <= indent and not content.strip(" "):
            pending.append((line_break, offset + len(content)))
            continue
        blank = content[indent : indent + 1] in {" ", "\t"}
        if not (folded and last[0] == "\n" and not last_blank and not blank):
            found.add(*last)
        elif not pending:
            found.add(" ", last[1])
        for kept in pending:
            found.add(*kept)
        for index in range(indent, len(content)):
            found.add(content[index], offset + index)
        pending, last, last_blank = [], (line_break, offset + len(content)), blank
    for kept in [last, *pending]:
        found.add(*kept)
    return _without_empty(found)


def _without_empty(found: _Decoded) -> _Decoded:
    """Return the characters without the empty ones: the end of the file has no line break."""
    kept = _Decoded()
    for char, origin in zip(found.chars, found.at, strict=True):
        if char:
            kept.add(char, origin)
    return kept
