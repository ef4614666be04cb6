"""The Python steps of `quality.yaml`: counting what can be fixed, finding hotspots, writing the report."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

_SHOWN = 10
_COUNTED = re.compile(r"\d+ (passed|failed|errors?|skipped)\b|no tests ran")


def fixable(lint: list[dict[str, Any]]) -> int:
    """Return how many findings ruff can fix without changing what the code does."""
    return sum(1 for finding in lint if (finding.get("fix") or {}).get("applicability") == "safe")


def hotspots(complexity: dict[str, list[dict[str, Any]]], most: int) -> list[dict[str, Any]]:
    """Return the files with the most complex functions, worst first."""
    found = []
    for file, functions in complexity.items():
        worst = max(
            (f for f in functions if isinstance(f, dict)), key=lambda f: f["complexity"], default=None
        )
        if worst is not None:
            found.append(
                {"file": file, "worst": f"{worst['name']} ({worst['complexity']})", "by": worst["complexity"]}
            )
    found.sort(key=lambda spot: (-spot["by"], spot["file"]))
    return [{"file": spot["file"], "worst": spot["worst"]} for spot in found[:most]]


def report(
    path: str,
    repo: str,
    checks: dict[str, Any],
    history: list[dict[str, Any]],
    fixable: int,
    route: Any,
) -> dict[str, Any]:
    """Write the report and return where it is and what it says in short."""
    lint, types = checks["lint"], checks["types"]
    security = checks["security"]["results"]
    tests = checks["tests"]
    lines = [
        f"# Quality of {repo}",
        "",
        f"{len(checks['files'])} files: {len(types)} type findings, {len(security)} security findings, and",
        f"{len(lint)} lint findings, of which {fixable} could be fixed by a tool.",
        f"Tests: {'passed' if tests['exit_code'] == 0 else 'failed'} ({_summary(tests['stdout'])}).",
        "",
        *_section("Lint", [(f["code"], f["message"], f["filename"]) for f in lint], repo),
        *_section("Types", [(f.get("code"), f.get("message", ""), f.get("file", "")) for f in types], repo),
        *_section("Security", [(f["test_id"], f["issue_text"], f["filename"]) for f in security], repo),
        "## Hotspots",
        "",
        *(f"- `{spot['file']}`: {spot['worst']}, changed {spot['changes']} times" for spot in history),
        "",
        *_mended(route),
    ]
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {
        "report": str(Path(path).absolute()),
        "lint": len(lint),
        "fixable": fixable,
        "types": len(types),
        "security": len(security),
        "tests": "passed" if tests["exit_code"] == 0 else "failed",
    }


def _section(title: str, findings: list[tuple[Any, str, str]], repo: str) -> list[str]:
    """Return the findings by kind, most frequent first, each with its first place."""
    counted = Counter(code for code, _, _ in findings)
    first = {code: (message, file) for code, message, file in reversed(findings)}
    rows = []
    for code, count in counted.most_common(_SHOWN):
        message, file = first[code]
        what, place = message.splitlines()[0][:80], file.removeprefix(f"{repo}/")
        rows.append(f"- {count} x **{code}** {what} (first in `{place}`)")
    more = len(counted) - _SHOWN
    return [
        f"## {title}",
        "",
        *(rows or ["- nothing found"]),
        *([f"- and {more} other kinds"] if more > 0 else []),
        "",
    ]


def _mended(route: Any) -> list[str]:
    if not isinstance(route, str):
        return []
    return ["## What the fixes changed", "", "```", *(route.splitlines() or ["nothing"]), "```"]


def _summary(text: str) -> str:
    """Return the line of pytest that counts the tests; a quiet run may have none, then its last line."""
    lines = [line.strip("= ") for line in text.splitlines() if line.strip("= ")]
    counts = [line for line in lines if _COUNTED.search(line)]
    return (counts or lines or ["it said nothing"])[-1]
