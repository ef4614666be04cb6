"""Diagnostics as SARIF 2.1.0, for code hosts and editors.

Source: OASIS Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from maestri.errors import Diagnostic

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(found: Sequence[Diagnostic], version: str) -> dict[str, Any]:
    """Return a SARIF log with one run of one tool."""
    rules = sorted({one.code for one in found})
    driver = {"name": "maestri", "version": version, "rules": [{"id": code} for code in rules]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, rules.index(one.code)) for one in found],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(one: Diagnostic, rule: int) -> dict[str, Any]:
    parts = [one.message, one.cause and f"cause: {one.cause}", one.fix and f"fix: {one.fix}"]
    result: dict[str, Any] = {
        "ruleId": one.code,
        "ruleIndex": rule,
        "level": "error" if one.severity == "error" else "warning",
        "message": {"text": "\n".join(part for part in parts if part)},
    }
    if one.file is not None:
        result["locations"] = [{"physicalLocation": _location(one, one.file)}]
    return result


def _location(one: Diagnostic, file: str) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(file)}}
    if one.span is not None:
        start_line, start_col, end_line, end_col = one.span
        location["region"] = {
            "startLine": start_line,
            "startColumn": start_col,
            "endLine": end_line,
            "endColumn": max(end_col, start_col + 1) if end_line == start_line else end_col,
        }
    return location


def _uri(file: str) -> str:
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
