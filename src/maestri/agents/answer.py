"""Captured output to the value of a step, one function per kind of `output`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Final

from maestri.agents.capture import Capture
from maestri.errors import OutputInvalid
from maestri.values import ArtifactRef, Json

PARSED_BYTES = 64 << 20  # what is parsed at most; a larger output belongs into a file
SHOWN = 80


def value_of(kind: str, exit_code: int, stdout: Capture, stderr: Capture) -> Json:
    """Return the value that a command's output stands for.

    Args:
        kind: One of `KINDS`.
        exit_code: The exit code, for `result`.
        stdout: The output.
        stderr: The error output; a part of the value in `result` only.

    Raises:
        OutputInvalid: The output is not what `kind` promises, or too large to be parsed.
    """
    if kind == "text":
        return stdout.text().rstrip("\r\n")
    if kind == "result":
        return {"exit_code": exit_code, "stdout": stdout.text(), "stderr": stderr.text()}
    return _PARSERS[kind](_parsable(kind, stdout))


def artifacts_of(kind: str, stdout: Capture, stderr: Capture) -> list[ArtifactRef]:
    """Return the artifacts of large outputs that the value refers to."""
    streams = [stdout, stderr] if kind == "result" else [stdout]
    return [ref for stream in streams if (ref := stream.artifact()) is not None]


def _parsable(kind: str, stdout: Capture) -> bytes:
    if stdout.size_bytes <= PARSED_BYTES:
        return stdout.whole()
    artifact = stdout.artifact()
    message = f"the output has {stdout.size_bytes} bytes; `output: {kind}` takes {PARSED_BYTES} at the most"
    raise OutputInvalid(
        message,
        fix="write it to a file, or use `output: text`, which keeps the whole as an artifact",
        detail={
            "size_bytes": stdout.size_bytes,
            "limit_bytes": PARSED_BYTES,
            "artifact": artifact.as_json() if artifact else None,
        },
    )


def _json(data: bytes) -> Json:
    if not data.strip():
        fix = "print JSON, or use `output: text`"
        raise OutputInvalid("the output is empty, which is not JSON", fix=fix)
    return _parsed(data, "the output")


def _jsonl(data: bytes) -> Json:
    # Only a line feed ends a line: JSON text may hold the other separators of Unicode as they are.
    lines = data.split(b"\n")
    return [_parsed(line, f"line {n} of the output") for n, line in enumerate(lines, 1) if line.strip()]


def _lines(data: bytes) -> Json:
    lines = data.decode(errors="replace").split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def _parsed(data: bytes, what: str) -> Json:
    try:
        text = data.decode("utf-8-sig")
        value: Json = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        start = max(0, error.pos - SHOWN // 2)
        near = error.doc[start : start + SHOWN]
        message = f"{what} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise _invalid(message, f"near {near!r}") from error
    except (ValueError, RecursionError) as error:  # not UTF-8, not finite, too many digits, too deep
        raise _invalid(f"{what} is not JSON: {error}", "") from error
    return value


def _invalid(message: str, cause: str) -> OutputInvalid:
    fix = "have the command print JSON alone on standard output; messages belong on standard error"
    return OutputInvalid(message, fix=fix, cause=cause)


def _refuse_constant(word: str) -> float:
    message = f"{word} is not a JSON number"
    raise ValueError(message)


def _finite(word: str) -> float:
    number = float(word)
    if not math.isfinite(number):
        message = f"{word} is too large for a number"
        raise ValueError(message)
    return number


_PARSERS: Final[dict[str, Callable[[bytes], Json]]] = {"json": _json, "jsonl": _jsonl, "lines": _lines}
KINDS: Final = ("text", *_PARSERS, "result")
