"""A definition file to a tree, with every finding at its place: the only part of `lang` that knows PyYAML.

PyYAML's own loaders are not used: they keep the last of two equal keys, read `yes` as a boolean, and can be
made to crash or to fill the memory. Only its event parser is; `compose` builds the tree.

| code | finding |
|---|---|
| L101 | the file is missing or cannot be read |
| L102 | it is a directory, a pipe or a device |
| L103 | it is larger than 1 MB |
| L104 | it is not UTF-8 text |
| L105 | it holds a control character |
| L106 | it is empty |
| L107 | it is not a mapping |
| L108 | it holds several documents |
| L109 | a tab indents |
| L110 | it is not YAML |
| L111 | a key stands twice |
| L112 | a key is not a text |
| L113 | a merge key |
| L114 | a tag that is not of the core schema, or does not fit |
| L115 | a number that cannot be kept |
| L116 | an alias or anchor that is unknown, recursive or stands twice |
| L117 | nested too deep |
| L118 | too many values |
| L119 | a text is too long |
| L120 | aliases stand for too much |
| L121 | it says it is another version of YAML |
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from maestri.errors import Diagnostic, Span
from maestri.lang.compose import Composer, Part, Stop
from maestri.lang.source import Source
from maestri.lang.syntax import Complaint, explain
from maestri.lang.tree import Mapping, Scalar
from maestri.records import NamedTuple

UNREADABLE = "L101"
NOT_A_FILE = "L102"
TOO_LARGE = "L103"
NOT_UTF8 = "L104"
CONTROL = "L105"
EMPTY = "L106"
NOT_A_MAPPING = "L107"
SEVERAL = "L108"
VERSION = "L121"

MAX_BYTES = 1024 * 1024
_SHOWN_BYTES = 200  # of a file that is too large to be read

# Wheels for some platforms come without libyaml; the Python parser gives the same events, slower.
_EVENTS: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONTROL = re.compile(
    "[^\x09\x0a\x0d\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)  # YAML 1.2.2, 5.1


class Loaded(NamedTuple):
    """What a file is: `tree` is None where nothing can be checked further."""

    tree: Mapping | None
    source: Source
    diagnostics: list[Diagnostic]


def read_file(path: str | Path, shown_as: str) -> Loaded:
    """Load a definition file; never waits and never reads more than 1 MB.

    Args:
        path: The file.
        shown_as: Its name in messages.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - a path from outside may hold a NUL
        problem = _unfit(found, shown_as)
        is_large = found.st_size > MAX_BYTES
        data = b"" if problem is not None else _read(path, _SHOWN_BYTES if is_large else MAX_BYTES + 1)
        if problem is None and is_large:
            problem = _too_large(found.st_size, shown_as, data)
    except (OSError, ValueError) as error:
        problem = _unreadable(error, path, shown_as)
    if problem is not None:
        return Loaded(None, Source(shown_as, ""), [problem])
    return load(data, shown_as)


def unfit(path: str | Path, shown_as: str) -> Diagnostic | None:
    """Return why something cannot be a definition file at all; None where it is an ordinary file.

    Args:
        path: The file.
        shown_as: Its name in messages.
    """
    try:
        return _unfit(os.stat(path), shown_as)  # noqa: PTH116 - a path from outside may hold a NUL
    except (OSError, ValueError) as error:
        return _unreadable(error, path, shown_as)


def load(data: bytes | str, name: str) -> Loaded:
    """Load a definition.

    Args:
        data: The file's content.
        name: The name of the file in messages.

    Returns:
        The tree with all findings, sorted by place. With findings the tree holds what could be read.
    """
    source, problem = _decode(data, name)
    if problem is None:
        problem = _control(source)
    if problem is not None:
        return Loaded(None, source, [problem])
    composer = Composer(source)
    try:
        _compose(composer)
    except Stop:
        pass
    else:
        _check_root(composer)
    findings = sorted(composer.findings, key=lambda found: found.span or Span(0, 0, 0, 0))
    return Loaded(composer.root if isinstance(composer.root, Mapping) else None, source, findings)


# --- bytes to text --------------------------------------------------------------------------------


def _unfit(found: os.stat_result, name: str) -> Diagnostic | None:
    if stat.S_ISDIR(found.st_mode):
        message, cause = f"`{name}` is a directory", "a workflow is one file"
        return Diagnostic(NOT_A_FILE, message, cause=cause, fix="name a file in it", file=name)
    if not stat.S_ISREG(found.st_mode):
        message = f"`{name}` is not an ordinary file"
        cause = "a pipe or a device may never end"
        return Diagnostic(NOT_A_FILE, message, cause=cause, fix="write it into a file first", file=name)
    return None


def _too_large(size_bytes: int, name: str, begins: bytes) -> Diagnostic:
    """Say that a file is too large, at its beginning: the rest of it is not read."""
    message = f"`{name}` has {size_bytes:,} bytes, which is too large"
    cause = f"the limit is {MAX_BYTES:,} bytes"
    fix = "keep data in files of its own, and name them in the workflow"
    first = begins[:_SHOWN_BYTES].decode(errors="replace").replace("\0", " ").rstrip()
    return Source(name, first).diagnostic(TOO_LARGE, message, Span(1, 1, 1, 2), cause=cause, fix=fix)


def _read(path: str | Path, most_bytes: int) -> bytes:
    # Not blocking, should the file have been replaced by a pipe since it was looked at.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as file:  # noqa: PTH123 - it is a handle
        return file.read(most_bytes)


def _unreadable(error: OSError | ValueError, path: str | Path, name: str) -> Diagnostic:
    if isinstance(error, FileNotFoundError):
        folder = os.path.dirname(path) or "."  # noqa: PTH120 - `path` may be a text
        shown = os.path.dirname(name)  # noqa: PTH120 - as it was given, for the message
        cause = f"the folder `{shown or folder}` does not exist either"
        if os.path.isdir(folder):  # noqa: PTH112
            cause = f"there is no such file in {f'the folder `{shown}`' if shown else 'this folder'}"
        fix = "look at the name and at the directory you are in"
        return Diagnostic(UNREADABLE, f"`{name}` does not exist", cause=cause, fix=fix, file=name)
    cause = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    message, fix = f"`{name}` cannot be read", "make it readable, or name another file"
    return Diagnostic(UNREADABLE, message, cause=cause, fix=fix, file=name)


def _decode(data: bytes | str, name: str) -> tuple[Source, Diagnostic | None]:
    nothing = Source(name, "")
    try:
        raw = data.encode() if isinstance(data, str) else data
        if len(raw) > MAX_BYTES:
            return nothing, _too_large(len(raw), name, raw)
        text = raw.decode()
    except UnicodeEncodeError as error:
        return nothing, _undecodable(Source(name, error.object), error.start, "half of a surrogate pair")
    except UnicodeDecodeError as error:
        good = Source(name, raw[: error.start].decode() + "\ufffd")
        cause = f"byte 0x{raw[error.start]:02x} cannot stand there"
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            cause = "it begins like UTF-16"
        return nothing, _undecodable(good, len(good.text) - 1, cause)
    return Source(name, text.removeprefix("\ufeff")), None


def _undecodable(source: Source, at: int, cause: str) -> Diagnostic:
    message = "this is not UTF-8 text"
    found = source.diagnostic(NOT_UTF8, message, source.span(at, at + 1), cause=cause, fix="save it as UTF-8")
    return found._replace(snippet=(found.snippet or "").encode(errors="replace").decode())


def _control(source: Source) -> Diagnostic | None:
    found = _CONTROL.search(source.text)
    if found is None:
        return None
    message = f"a control character (U+{ord(found.group()):04X}) cannot stand in a definition"
    span = source.span(found.start(), found.end())
    cause = "it cannot be seen, and YAML does not allow it in a file"
    fix = 'remove it; inside "..." it can be written as an escape, such as \\0 or \\x1b'
    return source.diagnostic(CONTROL, message, span, cause=cause, fix=fix)


# --- events to a tree -----------------------------------------------------------------------------


def _compose(composer: Composer) -> None:
    try:
        for event in yaml.parse(composer.source.text, Loader=_EVENTS):
            take = _TAKE.get(type(event))
            if take is not None:
                take(composer, event)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # The Python parser lets errors of `chr` and `int` through.
        composer.root = None
        composer.findings.append(explain(composer.source, _complaint(composer.source, error)))
        raise Stop from None


def _complaint(source: Source, error: Exception) -> Complaint:
    at = getattr(error, "problem_mark", None)
    begun = getattr(error, "context_mark", None)
    return Complaint(
        problem=getattr(error, "problem", None) or str(error).partition("\n")[0],
        context=getattr(error, "context", None) or "",
        at=source.offset(at.line + 1, at.column + 1) if at is not None else 0,
        begun=source.offset(begun.line + 1, begun.column + 1) if begun is not None else None,
    )


def _span(event: Any) -> Span:
    start, end = event.start_mark, event.end_mark
    return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _part(event: Any) -> Part:
    span = _span(event)
    return Part(event.anchor, event.tag, span, span)


def _take_scalar(composer: Composer, event: Any) -> None:
    if not event.value.isascii():
        _check_surrogates(composer, event)
    composer.scalar(_part(event), event.value, event.style or "")


def _check_surrogates(composer: Composer, event: Any) -> None:
    try:
        event.value.encode()
    except UnicodeEncodeError:
        message = "half of a surrogate pair is not a character"
        cause = "UTF-8 has no form for it, so that it could not be handed on"
        fix = "write the character itself, or its \\U escape with eight digits"
        composer.find(NOT_UTF8, message, _span(event), cause=cause, fix=fix)
        event.value = event.value.encode(errors="replace").decode()


def _take_alias(composer: Composer, event: Any) -> None:
    composer.alias(event.anchor, _span(event))


def _take_sequence(composer: Composer, event: Any) -> None:
    composer.open(_part(event), is_mapping=False)


def _take_mapping(composer: Composer, event: Any) -> None:
    composer.open(_part(event), is_mapping=True)


def _take_end(composer: Composer, event: Any) -> None:
    composer.close(event.end_mark.line + 1, event.end_mark.column + 1)


def _take_document(composer: Composer, event: Any) -> None:
    if composer.root is not None:
        message = "a second document begins here"
        cause = "a file holds one workflow, and `---` begins another"
        fix = "keep one workflow in a file; remove the `---`"
        composer.find(SEVERAL, message, _span(event), cause=cause, fix=fix)
        raise Stop
    if event.version not in {None, (1, 2)}:
        shown = ".".join(str(part) for part in event.version)
        cause = "words such as `yes` and `0777` mean something else there"
        message = f"this file says it is YAML {shown}; workflows are YAML 1.2"
        composer.find(VERSION, message, Span(1, 1, 1, 6), cause=cause, fix="remove the `%YAML` line")


_TAKE: dict[type[Any], Callable[[Composer, Any], None]] = {
    yaml.ScalarEvent: _take_scalar,
    yaml.AliasEvent: _take_alias,
    yaml.SequenceStartEvent: _take_sequence,
    yaml.MappingStartEvent: _take_mapping,
    yaml.SequenceEndEvent: _take_end,
    yaml.MappingEndEvent: _take_end,
    yaml.DocumentStartEvent: _take_document,
}


def _check_root(composer: Composer) -> None:
    root = composer.root
    if isinstance(root, Mapping):
        return
    fix = "begin with `workflow: NAME` and a `steps:` mapping"
    if root is None or (isinstance(root, Scalar) and root.plain and not root.text):
        if composer.findings:
            return  # it is not empty: what stands in it could not be read
        span = root.span if root is not None else Span(1, 1, 1, 1)
        cause = "there is nothing in it, comments and blanks aside"
        composer.find(EMPTY, "this file is empty", span, cause=cause, fix=fix)
        return
    kind = "a text" if isinstance(root, Scalar) else "a list"
    cause = "a workflow is a mapping of keys such as `steps:`"
    composer.find(NOT_A_MAPPING, f"this file is {kind}, not a mapping", root.span, cause=cause, fix=fix)
