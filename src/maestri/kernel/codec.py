"""Values to JSON text and back, the one way everywhere; digests; large texts kept once.

Rule 1: what comes back is what a live caller saw: outputs are handed on in their decoded form.
Rule 2: what JSON cannot carry (NaN, a set, a date, an object) is refused, never changed in silence.
Rule 3: a text of more than `LARGE_BYTES` is kept once per journal under its digest (a `blob`).
"""

from __future__ import annotations

import json
import json.encoder
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from maestri.errors import ValueRefused

LARGE_BYTES = 1024
DEEPEST = 200  # levels of lists and mappings
_BLOB = "$blob"  # {"$blob": digest} stands for a large text
_QUOTED = "$quoted"  # {"$quoted": {...}} is a user's own mapping that would read as one of these


def _encoder(*, sort_keys: bool) -> Callable[[Any], str]:
    """Return a function from a value to JSON text.

    `JSONEncoder.encode` makes its C part anew at each call, which costs as much as a small encoding, so that
    part is held. A Python without it does the same through the public door. The C part is not asked to
    look for circles: those end in a RecursionError.
    """
    whole = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=sort_keys)
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    quote: Any = getattr(json.encoder, "c_encode_basestring", None)
    if make is None or quote is None:
        return whole.encode
    inner = make(None, whole.default, quote, None, ":", ",", sort_keys, False, False)
    join = "".join

    def encode(value: Any) -> str:
        return quote(value) if type(value) is str else join(inner(value, 0))

    return encode


_encode = _encoder(sort_keys=False)
_encode_sorted = _encoder(sort_keys=True)
_decoder: Any = json.JSONDecoder()
_scan = _decoder.scan_once  # `raw_decode` is this, behind a call of Python


def decode(text: str) -> Any:
    """Return the value of JSON text that `encode` has written: no space around it, nothing behind it.

    Raises:
        JSONDecodeError: It is something else.
    """
    try:
        return _scan(text, 0)[0]
    except StopIteration as end:
        message = "Expecting value"
        raise json.JSONDecodeError(message, text, end.value) from None


_PLAIN = frozenset({str, int, float, bool, type(None)})


def encode(value: Any) -> str:
    """Return a value as JSON text.

    Raises:
        ValueRefused: JSON cannot carry it.
    """
    try:
        text = _encode(value)
        if not text.isascii():
            text.encode()  # a lone surrogate could not be stored
        if len(text) > 2 * DEEPEST and text.count("[") + text.count("{") > DEEPEST:
            _check_depth(value)
    except (TypeError, ValueError, RecursionError) as error:
        message = f"a value does not survive JSON: {error}"
        fix = "return plain data (text, numbers, lists, mappings), or a dataclass with `returns=`"
        raise ValueRefused(message, fix=fix) from error
    return text


def _check_depth(value: Any) -> None:
    """Refuse what is nested so deeply that those who walk through it would run out of stack.

    Raises:
        ValueError: It is.
    """
    level = [value]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                below += one.values()
            elif isinstance(one, list | tuple):
                below += one
        if not below:
            return
        level = below
    message = f"it is nested more than {DEEPEST} levels deep"
    raise ValueError(message)


def settle(value: Any) -> tuple[str, Any]:
    """Return a value as JSON text, and the value that this text decodes to.

    Raises:
        ValueRefused: JSON cannot carry it.
    """
    text = encode(value)
    return text, value if type(value) in _PLAIN else decode(text)


def digest(value: Any) -> str:
    """Return 64 bits of BLAKE2b over the JSON text with sorted keys, as 16 hexadecimal digits.

    Raises:
        ValueRefused: JSON cannot carry the value.
    """
    try:
        text = _encode_sorted(value)
        return blake2b(text.encode(), digest_size=8).hexdigest()
    except (TypeError, ValueError, RecursionError) as error:
        message = f"a request does not survive JSON: {error}"
        fix = "give a step plain data (text, numbers, lists, mappings)"
        raise ValueRefused(message, fix=fix) from error


def text_digest(text: str) -> str:
    """Return 128 bits of BLAKE2b over a text, as 32 hexadecimal digits: the name of a blob."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def shrink(body: str) -> tuple[str, dict[str, str]]:
    """Return a body with its large texts taken out, and those texts by digest.

    A body in which nothing is to be taken out comes back as it is, without being decoded.
    """
    if '"$' not in body and (len(body) <= LARGE_BYTES or _has_short_texts(body)):
        return body, {}
    blobs: dict[str, str] = {}
    return _encode(_take_out(decode(body), blobs)), blobs


def _has_short_texts(body: str) -> bool:
    """Tell whether all texts in a body are short for certain: without an escape, a text ends at a quote."""
    return "\\" not in body and max(map(len, body.split('"'))) <= LARGE_BYTES


def _take_out(value: Any, blobs: dict[str, str]) -> Any:
    if isinstance(value, str):
        if len(value) <= LARGE_BYTES:
            return value
        name = text_digest(value)
        blobs[name] = value
        return {_BLOB: name}
    if isinstance(value, list):
        return [_take_out(item, blobs) for item in value]
    if isinstance(value, dict):
        inner = {key: _take_out(item, blobs) for key, item in value.items()}
        return {_QUOTED: inner} if len(value) == 1 and next(iter(value)) in {_BLOB, _QUOTED} else inner
    return value


def blobs_in(body: str) -> set[str]:
    """Return the digests of the texts that `expand` will ask for."""
    found: set[str] = set()
    if f'"{_BLOB}"' in body:
        _collect(decode(body), found)
    return found


def _collect(value: Any, found: set[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _collect(item, found)
    elif isinstance(value, dict):
        if len(value) == 1 and _BLOB in value:
            found.add(value[_BLOB])
        elif len(value) == 1 and _QUOTED in value:
            for item in value[_QUOTED].values():
                _collect(item, found)
        else:
            for item in value.values():
                _collect(item, found)


def expand(body: str, blobs: dict[str, str]) -> dict[str, Any]:
    """Return the decoded body with its large texts put back: the inverse of `shrink`.

    Raises:
        KeyError: A text is not among `blobs`.
    """
    value = decode(body)
    return _put_back(value, blobs) if '"$' in body else value  # type: ignore[no-any-return]


def _put_back(value: Any, blobs: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_put_back(item, blobs) for item in value]
    if isinstance(value, dict):
        if len(value) == 1:
            if _BLOB in value:
                return blobs[value[_BLOB]]
            if _QUOTED in value:
                return {key: _put_back(item, blobs) for key, item in value[_QUOTED].items()}
        return {key: _put_back(item, blobs) for key, item in value.items()}
    return value
