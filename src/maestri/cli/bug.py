"""What a user sees of a bug in Maestri: one diagnostic, and a file to send along."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from maestri.errors import Diagnostic

CODE = "X000"


def report_bug(error: BaseException, words: Sequence[str]) -> Diagnostic:
    """Write what is needed to find a bug into a file and return the message that names it."""
    text = "\n".join(
        [
            f"maestri {' '.join(words)}",
            f"Python {platform.python_version()} on {sys.platform}",
            "",
            "".join(traceback.format_exception(error)),
        ]
    )
    file = _written(text, _state_folder(words))
    message = f"this is a bug in Maestri: {type(error).__name__}: {error}"
    where = f"the details are in {file}" if file is not None else "the details could not be stored"
    fix = (
        f"please report it with the file {file}" if file is not None else "please report it with what you did"
    )
    return Diagnostic(CODE, message, cause=where, fix=fix)


def _written(text: str, state: Path) -> Path | None:
    """Write to the state directory, or where temporary files go if that cannot be."""
    name = f"bug-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    for folder in (state, Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = folder / name
            file.touch(mode=0o600)
            file.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return file
    return None


def _state_folder(words: Sequence[str]) -> Path:
    given = [words[i + 1] for i, word in enumerate(words[:-1]) if word == "--state"]
    given += [word.partition("=")[2] for word in words if word.startswith("--state=")]
    if own := (given[-1] if given else os.environ.get("MAESTRI_STATE")):
        return Path(own).expanduser() / "bugs"
    base = os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()
    return Path(base) / "maestri" / "bugs"
