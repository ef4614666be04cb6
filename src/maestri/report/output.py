"""Values as people read them: a text as it is, everything else as indented JSON, both harmless and cut."""

from __future__ import annotations

import json
from typing import Any

from maestri.errors import Diagnostic
from maestri.report.wording import clean, counted

SHOWN_LINES = 40
SHOWN_COLUMNS = 2000


def pretty(value: Any, see_all: str, limit: int | None = SHOWN_LINES) -> str:
    """Return a value in readable form.

    Args:
        value: The value, as JSON has it.
        see_all: The command that shows all of it; it stands in the last line when something was cut.
        limit: How many lines to show; None for all.
    """
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    lines = clean(text).rstrip("\n").split("\n")
    shown = lines if limit is None else [line[:SHOWN_COLUMNS] for line in lines[:limit]]
    if shown != lines:
        rest = len(lines) - len(shown)
        what = f"{counted(rest, 'more line')}" if rest else "long lines were cut"
        shown = [*shown, f"... {what}; see all with `{see_all}`"]
    return "\n".join(shown)


def failure_diagnostic(failure: dict[str, Any], run: str, path: str | None = None) -> Diagnostic:
    """Return the message of a recorded failure."""
    return Diagnostic(
        str(failure.get("code", "")),
        clean(str(failure.get("message", ""))),
        cause=clean(str(failure.get("cause", ""))),
        fix=clean(str(failure.get("fix", ""))),
        run=run,
        path=path or failure.get("path"),
        attempt=failure.get("attempt"),
    )
