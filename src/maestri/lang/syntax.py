"""What the YAML parser complains about, in words that say what to do.

The two parsers (libyaml and its Python twin) word the same complaint differently; the table knows both.
"""

from __future__ import annotations

from maestri.errors import Diagnostic
from maestri.lang.source import Source
from maestri.records import NamedTuple

TAB = "L109"
SYNTAX = "L110"


class Complaint(NamedTuple):
    """What the parser said, and where: `at` is the offset of the problem, `begun` of what it was reading."""

    problem: str
    context: str
    at: int
    begun: int | None


class _Words(NamedTuple):
    message: str
    cause: str
    fix: str


_INDENT = _Words(
    "this line does not fit the lines above it",
    "its indentation matches no open block",
    "indent the entries of one block by the same number of spaces",
)
_QUOTE_ENDED = _Words(
    "a quoted text ended before this place",
    "a quote inside it closed it",
    "double a `'` inside '...', write \\\" inside \"...\", or use a `|` block",
)
_TWO_COLONS = _Words(
    "`: ` is not allowed inside an unquoted text",
    "a colon followed by a space begins a mapping, and there is one on this line, or just above it, already",
    'put the text in quotes ("..."), or give the key a line of its own, indented like its neighbours',
)
_UNCLOSED_QUOTE = _Words(
    "the quote that begins here is never closed",
    "the file, or the document, ends before another quote",
    "close it, or write a long text as a `|` block",
)
_ESCAPE = _Words(
    "this backslash escape does not exist",
    'in "..." a backslash begins an escape such as \\n or \\"',
    "write \\\\ for a backslash, or use '...', where a backslash is only a backslash",
)
_START = _Words(
    "an unquoted text cannot begin with this character",
    "YAML keeps it for itself",
    "put the text in quotes",
)
_BLOCK_HEADER = _Words(
    "a text stands on the same line as `|` or `>`",
    "the text of a block begins on the next line",
    "move it to the next line, indented",
)
_BLOCK_INDENT = _Words(
    "the first lines of this block are indented more than its text",
    "the first line that is not empty sets the indentation",
    "give the empty lines no more spaces than the text",
)
_MISSING_COLON = _Words(
    "a `:` is missing after this key",
    "every line of a mapping is `key: value`",
    "write `key: value`, or give a list item its `- `",
)
_LIST_OR_MAPPING = _Words(
    "this line is not an item of the list above it",
    "a block is either a list (`- item`) or a mapping (`key: value`)",
    "begin the line with `- `, or indent it by less than the list",
)
_VALUE = _Words(
    "a value is missing or misplaced here",
    "a sign such as `:`, `?` or `,` stands where YAML reads a value",
    "remove the stray sign, or add the value",
)
_DASH = _Words(
    "a list cannot begin on the line of its key",
    "`- ` begins an item at the beginning of a line only",
    "put `- item` on lines of their own, or write the list as [a, b]",
)
_DIRECTIVE = _Words(
    "this `%` line cannot be read",
    "`%` at the beginning of a line is for the parser",
    "remove the line, or put the text in quotes",
)
_TAG = _Words("this tag cannot be read", "`!` begins a tag", "put the text in quotes")
_ANCHOR = _Words("this anchor or alias cannot be read", "`&` and `*` begin one", "put the text in quotes")
_ANY = _Words(
    "this is not YAML",
    "the parser could not go on from here",
    "look for a missing quote, bracket or space before this place",
)

# (part of the context, part of the problem) -> words; the first line that fits decides.
_TABLE: list[tuple[str, str, _Words]] = [
    ("quoted scalar", "unexpected end", _UNCLOSED_QUOTE),
    ("double-quoted", "unexpected end", _UNCLOSED_QUOTE),
    ("quoted scalar", "document", _UNCLOSED_QUOTE),
    ("quoted", "escape", _ESCAPE),
    ("double-quoted", "hexadecimal", _ESCAPE),
    ("quoted", "hexdecimal", _ESCAPE),
    ("", "mapping values are not allowed", _TWO_COLONS),
    ("", "cannot start any token", _START),
    ("block scalar", "chomping", _BLOCK_HEADER),
    ("block scalar", "indent", _BLOCK_INDENT),
    ("block scalar", "", _BLOCK_HEADER),
    ("simple key", "", _MISSING_COLON),
    ("block collection", "", _LIST_OR_MAPPING),
    ("block mapping", "", _INDENT),
    ("", "sequence entries", _DASH),
    ("", "mapping keys are not allowed", _VALUE),
    ("directive", "", _DIRECTIVE),
    ("", "directive", _DIRECTIVE),
    ("tag", "", _TAG),
    ("", "tag", _TAG),
    ("anchor", "", _ANCHOR),
    ("alias", "", _ANCHOR),
    ("", "node content", _VALUE),
    ("", "<document start>", _INDENT),
]


def explain(source: Source, complaint: Complaint) -> Diagnostic:
    """Return the finding for what the parser complained about."""
    at = min(complaint.at, len(source.text))
    return (
        _tab(source, at)
        or _expression_in_flow(source, complaint, at)
        or _unclosed_bracket(source, complaint, at)
        or _quote_ended(source, complaint, at)
        or _tabled(source, complaint, at)
    )


def _finding(source: Source, words: _Words, at: int, length: int = 1, code: str = SYNTAX) -> Diagnostic:
    span = source.span(at, min(at + length, max(len(source.text), at)))
    return source.diagnostic(code, words.message, span, cause=words.cause, fix=words.fix)


def _tab(source: Source, at: int) -> Diagnostic | None:
    line, _ = source.place(at)
    content = source.line(line)
    tab = content.find("\t")
    if tab < 0 or content[:tab].strip():
        return None
    words = _Words("a tab cannot indent", "YAML counts spaces, and a tab has no width", "indent with spaces")
    return _finding(source, words, source.offset(line, tab + 1), code=TAB)


def _expression_in_flow(source: Source, complaint: Complaint, at: int) -> Diagnostic | None:
    if "flow" not in complaint.context:
        return None
    start = source.text.rfind("${", 0, at + 1)
    # The parser stops at the brace of `${`, or a little behind it.
    if start < (complaint.begun or 0) or source.place(start)[0] != source.place(at)[0]:
        return None
    words = _Words(
        "an expression inside { } or [ ] must be quoted",
        "the braces of `${...}` would end or begin a mapping here",
        'quote it: "${...}"',
    )
    return _finding(source, words, start, 2)


def _unclosed_bracket(source: Source, complaint: Complaint, at: int) -> Diagnostic | None:
    if "flow" not in complaint.context or complaint.begun is None:
        return None
    bracket = source.text[complaint.begun : complaint.begun + 1]
    closing = "}" if bracket == "{" else "]"
    begun, line = source.place(complaint.begun)[0], source.place(at)[0]
    if line != begun or not source.text[at:].strip():
        words = _Words(
            f"the `{bracket}` that begins here is not closed, or a `,` is missing in it",
            f"reading stopped on line {line}",
            f"add `{closing}` or the missing `,`",
        )
        return _finding(source, words, complaint.begun)
    words = _Words(
        f"a `,` or `{closing}` is missing before this place",
        f"the entries of a `{bracket}` are separated by commas, and this is neither a comma nor its end",
        f"separate entries with `,`, and put a text that holds one of , [ ] {{ }} or `{closing}` in quotes",
    )
    return _finding(source, words, at)


def _quote_ended(source: Source, complaint: Complaint, at: int) -> Diagnostic | None:
    line, col = source.place(at)
    if "block mapping" in complaint.context and source.line(line)[: col - 1].rstrip().endswith(("'", '"')):
        return _finding(source, _QUOTE_ENDED, at)
    return None


def _tabled(source: Source, complaint: Complaint, at: int) -> Diagnostic:
    words = _ANY._replace(cause=f"the parser says: {complaint.problem}") if complaint.problem else _ANY
    for context, problem, candidate in _TABLE:
        if context in complaint.context and problem in complaint.problem:
            words = candidate
            break
    begins = words in {_UNCLOSED_QUOTE, _MISSING_COLON, _BLOCK_HEADER} and complaint.begun is not None
    return _finding(source, words, complaint.begun if begins and complaint.begun is not None else at)
