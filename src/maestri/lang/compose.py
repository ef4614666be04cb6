"""Trees from the parser's events: bounded, with a place for everything, and all findings at once.

Rule 1: no recursion; what is open stands on a stack whose height is limited.
Rule 2: what is merely wrong becomes a finding and reading goes on; what could exhaust memory stops it.
"""

from __future__ import annotations

import re

from maestri.errors import Diagnostic, Span
from maestri.lang.scalars import OutOfRange, resolve
from maestri.lang.source import Source, suggest
from maestri.lang.tree import Entry, Mapping, Scalar, Sequence, Tree
from maestri.records import NamedTuple

DUPLICATE = "L111"
KEY = "L112"
MERGE = "L113"
TAG = "L114"
NUMBER = "L115"
ALIAS = "L116"
TOO_DEEP = "L117"
TOO_MANY = "L118"
TOO_LONG = "L119"
BOMB = "L120"

MAX_DEPTH = 100  # twelve patterns within each other, written at length, take 64
MAX_VALUES = 50_000
MAX_SCALAR_CHARS = 256 * 1024
MAX_ALIASED_VALUES = 100_000
MAX_ALIASED_CHARS = 4 * 1024 * 1024
MAX_FINDINGS = 100  # a file with more is not the file that was meant

_CORE = "tag:yaml.org,2002:"
_PROPERTIES = re.compile(r"(?:!<[^>\s]*>|[&!][^\s,\[\]{}]*|\s+|#[^\n]*)*")


class Stop(Exception):
    """Reading cannot go on; what is wrong stands among the findings."""


class Part(NamedTuple):
    """What the parser tells of a value, before it is judged; `whole` begins at its anchor or tag."""

    anchor: str | None
    tag: str | None
    span: Span
    whole: Span


class _Weight(NamedTuple):
    """How large a tree is with all its aliases followed."""

    values: int
    chars: int
    height: int


class _Open:
    """A list or mapping that is being read."""

    __slots__ = ("entries", "height", "items", "key", "part", "seen", "values_before", "waiting")

    def __init__(self, part: Part, values_before: tuple[int, int], *, is_mapping: bool) -> None:
        self.part = part
        self.values_before = values_before
        self.items: list[Tree] = []
        self.entries: list[Entry] | None = [] if is_mapping else None
        self.seen: dict[str, Span] = {}
        self.key: Scalar | None = None  # None while waiting: the key was refused, so is its value
        self.waiting = False
        self.height = 1


class Composer:
    """Takes the parser's events one by one; afterwards `root` and `findings` are complete."""

    def __init__(self, source: Source) -> None:
        """Begin with nothing read."""
        self.source = source
        self.root: Tree | None = None
        self.findings: list[Diagnostic] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Tree, _Weight]] = {}
        self._values = self._chars = 0  # read so far, aliases followed
        self._aliased = _Weight(0, 0, 0)
        self._written = 0

    def find(self, code: str, message: str, span: Span | None, *, cause: str, fix: str) -> None:
        """Add a finding.

        Raises:
            Stop: There are too many.
        """
        self.findings.append(self.source.diagnostic(code, message, span, cause=cause, fix=fix))
        if len(self.findings) >= MAX_FINDINGS:
            raise Stop

    def scalar(self, part: Part, text: str, style: str) -> None:
        """Take a scalar; `style` is empty, `'`, `"`, `|` or `>`.

        Raises:
            Stop: It is longer than anything that is meant.
        """
        part = self._own_place(part) if text or style else self._inside(part)
        if len(text) > MAX_SCALAR_CHARS:
            message = f"a text of {len(text):,} characters is too long"
            fix = "keep long texts in a file of their own"
            self._refuse(TOO_LONG, message, part.span, f"the limit is {MAX_SCALAR_CHARS:,}", fix)
        value = self._value(part, text, plain=not style)
        made = Scalar(value, text, part.span, plain=not style, block=style in {"|", ">"})
        self._count(part.span)
        self._chars += len(text)
        self._keep(part, made, _Weight(1, len(text), 0))
        self._add(made, 0)

    def alias(self, name: str, span: Span) -> None:
        """Take an alias: what it names stands here once more.

        Raises:
            Stop: Aliases of aliases have grown too large.
        """
        self._count(span)
        if name not in self._anchors:
            self._unknown_alias(name, span)
            self._add(Scalar(None, "", span), 0)
            return
        tree, weight = self._anchors[name]
        before = self._aliased
        self._aliased = _Weight(before.values + weight.values, before.chars + weight.chars, 0)
        if self._aliased.values > MAX_ALIASED_VALUES or self._aliased.chars > MAX_ALIASED_CHARS:
            cause = f"aliases may stand for {MAX_ALIASED_VALUES:,} values and 4 MB of text in all"
            message = f"the alias `*{name}` makes this file too large"
            self._refuse(BOMB, message, span, cause, "write less of it by alias")
        self._check_depth(len(self._stack) + weight.height, span)
        self._values += weight.values
        self._chars += weight.chars
        self._add(tree, weight.height)

    def open(self, part: Part, *, is_mapping: bool) -> None:
        """Take the beginning of a list or mapping.

        Raises:
            Stop: It stands too deep.
        """
        part = self._own_place(part)
        self._count(part.span)
        self._check_depth(len(self._stack) + 1, part.span)
        expected = "map" if is_mapping else "seq"
        if part.tag not in {None, "!", _CORE + expected}:
            self._refuse_tag(part, f"`{_shown(part.tag)}` cannot stand before a list or mapping")
        self._stack.append(_Open(part, (self._values, self._chars), is_mapping=is_mapping))

    def close(self, end_line: int, end_col: int) -> None:
        """Take the end of the innermost list or mapping."""
        done = self._stack.pop()
        span = done.part.span._replace(end_line=end_line, end_col=end_col)
        made = Sequence(done.items, span) if done.entries is None else Mapping(done.entries, span)
        values, chars = done.values_before
        weight = _Weight(self._values - values + 1, self._chars - chars, done.height)
        self._keep(done.part, made, weight)
        self._add(made, done.height)

    def _add(self, tree: Tree, height: int) -> None:
        if not self._stack:
            self.root = tree
            return
        top = self._stack[-1]
        top.height = max(top.height, height + 1)
        if top.entries is None:
            top.items.append(tree)
        elif top.waiting:
            if top.key is not None:
                top.entries.append(Entry(top.key, tree))
            top.waiting = False
        else:
            top.key = self._key(top, tree)
            top.waiting = True

    def _key(self, top: _Open, tree: Tree) -> Scalar | None:
        if not isinstance(tree, Scalar):
            self._refuse_key(tree)
            return None
        if tree.plain and tree.value is None:
            message = f"`{tree.text}` is not a key" if tree.text else "a key is missing before `:`"
            cause = "without quotes it is the value null" if tree.text else "nothing is the value null"
            fix = "write another word; in quotes it is a text" if tree.text else "write a name before the `:`"
            self.find(KEY, message, tree.span, cause=cause, fix=fix)
            return None
        if tree.plain and tree.text == "<<":
            cause = "a merge hides where a value comes from"
            fix = "write the values here, or name the whole mapping by an alias: `key: *name`"
            message = "merge keys (`<<`) are not part of the language"
            self.find(MERGE, message, tree.span, cause=cause, fix=fix)
            return None
        return self._first_use(top, tree)

    def _refuse_key(self, tree: Sequence | Mapping) -> None:
        message = "a key must be a text, not a list or a mapping"
        cause = "keys are names, and only a text can be one"
        fix = "write `key: value`; put a key that begins with [ or { in quotes"
        at = self.source.offset(tree.span.line, tree.span.col)
        if isinstance(tree, Mapping) and self.source.text[max(at - 1, 0) : at + 1] == "{{":
            cause, fix = "`{{` begins a mapping whose key is a mapping", 'write an expression as "${...}"'
        self.find(KEY, message, tree.span, cause=cause, fix=fix)

    def _first_use(self, top: _Open, key: Scalar) -> Scalar | None:
        first = top.seen.setdefault(key.text, key.span)
        if first is key.span:
            return key
        shown = key.text[:80]
        cause = f"it stands at {self.source.name}:{first.line}:{first.col} already"
        message = f"the key `{shown}` stands twice"
        self.find(DUPLICATE, message, key.span, cause=cause, fix="rename or remove one")
        return None

    def _keep(self, part: Part, tree: Tree, weight: _Weight) -> None:
        if part.anchor is None:
            return
        if part.anchor in self._anchors:
            first = self._anchors[part.anchor][0].span
            cause = f"its first use is at {self.source.name}:{first.line}:{first.col}"
            message = f"the anchor `&{part.anchor}` stands twice"
            self.find(ALIAS, message, part.whole, cause=cause, fix="rename one")
            return
        self._anchors[part.anchor] = (tree, weight)

    def _unknown_alias(self, name: str, span: Span) -> None:
        if any(one.part.anchor == name for one in self._stack):
            message = f"the alias `*{name}` stands inside what it names"
            self.find(ALIAS, message, span, cause="the value would have no end", fix="write the value out")
            return
        hint = suggest(name, list(self._anchors))
        fix = hint or f'define `&{name}` above it; put a text that begins with * in quotes: "*{name}"'
        cause = "`*` begins an alias, which stands for what `&` has named further up"
        self.find(ALIAS, f"nothing above is called `&{name}`", span, cause=cause, fix=fix)

    def _value(self, part: Part, text: str, *, plain: bool) -> str | int | float | bool | None:
        if part.tag == "!" or part.tag == _CORE + "str" or (part.tag is None and not plain):
            return text
        try:
            value = resolve(text)
        except OutOfRange as error:
            shown = text if len(text) <= 40 else f"{text[:37]}..."
            fix = f'put it in quotes if it is a text: "{shown}"'
            self.find(NUMBER, f"the number {shown} cannot be kept", part.span, cause=str(error), fix=fix)
            return None
        if part.tag is not None:
            value = self._tagged(part, value)
        return value if not isinstance(value, list | dict) else None

    def _tagged(self, part: Part, value: object) -> str | int | float | bool | None:
        kinds = {"int": int, "float": float, "bool": bool, "null": type(None)}
        word = (part.tag or "").removeprefix(_CORE)
        kind = kinds.get(word)
        if kind is float and type(value) is int:
            return float(value)
        if kind is None:
            self._refuse_tag(part, f"the tag `{_shown(part.tag)}` is not part of the language")
        elif type(value) is kind:
            return value  # type: ignore[return-value]  # one of the four types above
        else:
            self._refuse_tag(part, f"this is not what the tag `!!{word}` says")
        return None

    def _refuse_tag(self, part: Part, message: str) -> None:
        fix = "remove the tag; put a text that begins with ! in quotes"
        cause = "only !!str, !!int, !!float, !!bool, !!null, !!seq and !!map are known"
        self.find(TAG, message, part.whole, cause=cause, fix=fix)

    def _own_place(self, part: Part) -> Part:
        """Return the part with its span beginning at the value, behind an anchor or tag."""
        if part.anchor is None and part.tag is None:
            return part
        span = part.span
        start = self.source.offset(span.line, span.col)
        end = self.source.offset(span.end_line, span.end_col)
        found = _PROPERTIES.match(self.source.text, start, end)
        at = found.end() if found is not None else start
        line, col = self.source.place(at)
        return part._replace(span=span._replace(line=line, col=col)) if at < end else part

    def _inside(self, part: Part) -> Part:
        """Return the part of a value that is not there: at the end of a file it is placed behind the end."""
        place = self.source.place(self.source.offset(*part.span[2:]))
        return part._replace(span=Span(*place, *place))

    def _count(self, span: Span) -> None:
        self._values += 1
        self._written += 1
        if self._written > MAX_VALUES:
            message = f"this file has more than {MAX_VALUES:,} values"
            cause = "a file of that size is data; reading it on could fill the memory"
            self._refuse(TOO_MANY, message, span, cause, "split it into several workflows")

    def _check_depth(self, depth: int, span: Span) -> None:
        if depth > MAX_DEPTH:
            message = f"lists and mappings are nested more than {MAX_DEPTH} deep"
            cause = "what goes through a definition must not run out of stack"
            self._refuse(TOO_DEEP, message, span, cause, "move the inner steps into a workflow of their own")

    def _refuse(self, code: str, message: str, span: Span, cause: str, fix: str) -> None:
        self.root = None
        self.find(code, message, span, cause=cause, fix=fix)
        raise Stop


def _shown(tag: str | None) -> str:
    tag = tag or "!"
    return f"!!{tag.removeprefix(_CORE)}" if tag.startswith(_CORE) else tag
