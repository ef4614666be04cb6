"""What is no YAML, but has only one meaning: fences, expressions in brackets, a key beside the list it is in.

Rule: a line stays on its line; only columns move.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from maestri.errors import Diagnostic, Span
from maestri.lang.load import Loaded, load
from maestri.lang.source import Source

SEVERAL = "L320"

_FENCE = re.compile(r"^[ \t]*(?:\\?`){3}[ \t]*([\w+-]*)[ \t]*$")
_DATA = frozenset({"", "yaml", "yml", "json"})
_EXPRESSION = re.compile(r"\$\{[^{}]*\}")
_KEY = re.compile(r"^( +)[\w-]+:(?: |$)")
_TRIES = 20  # keys beside their list that one file may have


def mended(source: Source) -> tuple[Loaded, list[Diagnostic]]:
    """Return a text as a tree, with what is no YAML read as it was meant.

    Args:
        source: The text.

    Returns:
        The tree with findings as they are in the text given, and what keeps the text from being one file.
    """
    lines, problem = _without_fences(source)
    if problem is not None:
        return Loaded(None, source, [problem]), [problem]
    lines = [_quoted(line) for line in lines]
    loaded = load("\n".join(lines), source.name)
    for _ in range(_TRIES):
        again = _indented(lines, loaded)
        if again is None:
            break
        lines, loaded = again, load("\n".join(again), source.name)
    return Loaded(loaded.tree, source, [_placed(one, source) for one in loaded.diagnostics]), []


def _placed(found: Diagnostic, source: Source) -> Diagnostic:
    """Return a finding in the mended text as one in the text that the user has written."""
    if found.span is None:
        return found
    line = source.line(found.span.line)
    if line == found.snippet:
        return found
    return found._replace(span=whole_line(source, found.span.line), snippet=line)


def whole_line(source: Source, number: int) -> Span:
    """Return the span of what stands on a line."""
    line = source.line(number)
    start = len(line) - len(line.lstrip())
    return Span(number, start + 1, number, max(len(line.rstrip()), start + 1) + 1)


# --- fences ---------------------------------------------------------------------------------------


def _without_fences(source: Source) -> tuple[list[str], Diagnostic | None]:
    """Return the lines of the only block between fences, the others empty; all where there are no fences."""
    lines = re.split("\r\n|\n|\r", source.text)
    blocks = [one for one in _blocks(lines) if one[0] in _DATA]
    if len(blocks) > 1:
        places = ", ".join(str(start) for _, start, _ in blocks[:10])
        message = f"this file holds {len(blocks)} blocks between fences"
        cause = f"a run has one definition, and blocks begin on the lines {places}"
        fix = "keep each of them in a file of its own"
        span = whole_line(source, blocks[1][1])
        return lines, source.diagnostic(SEVERAL, message, span, cause=cause, fix=fix)
    if not blocks:
        return lines, None
    _, start, end = blocks[0]
    return [line if start < number < end else "" for number, line in enumerate(lines, 1)], None


def _blocks(lines: list[str]) -> Iterator[tuple[str, int, int]]:
    """Yield the blocks between fences: the word behind the fence, and the lines of both fences."""
    opened: tuple[str, int] | None = None
    for number, line in enumerate(lines, 1):
        found = _FENCE.match(line)
        if found is None:
            continue
        if opened is None:
            opened = found[1].lower(), number
        elif not found[1]:
            yield *opened, number
            opened = None
    if opened is not None:
        yield *opened, len(lines) + 1


# --- expressions in brackets ----------------------------------------------------------------------


def _quoted(line: str) -> str:
    """Return a line with the expressions inside its brackets in quotes: `[${a.b}]` is `["${a.b}"]`."""
    if "${" not in line or not ("[" in line or "{" in line.replace("${", "")):
        return line
    out, at, depth = [""], 0, 0
    while at < len(line):
        char = line[at]
        if char in "\"'":
            end = line.find(char, at + 1)
            end = len(line) if end < 0 else end + 1
            out[-1] += line[at:end]
            at = end
            continue
        found = _EXPRESSION.match(line, at)
        if found is not None:
            out[-1] += found.group()
            at = found.end()
            continue
        if char == "#" and line[max(at - 1, 0)] in " \t":
            break
        if char in "[{":
            # A bracket inside a text without quotes is part of that text.
            if depth or not out[-1].split(": ")[-1].strip(" -"):
                depth += 1
                out += [char, ""]
                at += 1
                continue
        elif depth and char in "]},":
            depth -= char != ","
            out[-1] = _in_quotes(out[-1])
            out += [char, ""]
            at += 1
            continue
        out[-1] += char
        at += 1
    return "".join(out) + line[at:]


def _in_quotes(piece: str) -> str:
    """Return one item of a list, or one entry of a mapping, with quotes around an expression."""
    key, mark, value = piece.rpartition(": ")
    text = value.strip()
    if "${" not in text or text[:1] in "\"'":
        return piece
    before, after = value[: len(value) - len(value.lstrip())], value[len(value.rstrip()) :]
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'{key}{mark}{before}"{escaped}"{after}'


# --- a key beside the list it belongs into ----------------------------------------------------------


def _indented(lines: list[str], loaded: Loaded) -> list[str] | None:
    """Return the lines with a key that stands on the dash's column of a list moved into its last item."""
    if loaded.tree is not None or not loaded.diagnostics or loaded.diagnostics[0].span is None:
        return None
    at = loaded.diagnostics[0].span.line - 1
    found = _KEY.match(lines[at]) if at < len(lines) else None
    if found is None or not _follows_item(lines, at, len(found[1])):
        return None
    end = at + 1
    while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > len(found[1])):
        end += 1
    moved = [f"  {line}" if line.strip() else line for line in lines[at:end]]
    return [*lines[:at], *moved, *lines[end:]]


def _follows_item(lines: list[str], at: int, indent: int) -> bool:
    """Tell whether the block above a line is a list whose dashes stand in this column."""
    for line in reversed(lines[:at]):
        if not line.strip() or line.lstrip().startswith("#") or _indent(line) > indent:
            continue
        return _indent(line) == indent and line.lstrip().startswith("- ")
    return False


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
