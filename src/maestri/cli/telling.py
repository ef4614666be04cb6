"""`maestri tell`: the whole command line of it, for help and for what is wrong; `tell` is what does it."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from maestri.cli import exits, tell
from maestri.cli.post import json_value
from maestri.cli.terminal import Terminal
from maestri.cli.usage import BadArguments, Command, Parser
from maestri.errors import ConfigError

_WITHOUT_TEXT = frozenset({"started", "unblocked", "done", tell.WAIT})


class NotInStep(ConfigError):
    """There is no step to report of: no mailbox was given, or its step has ended."""

    code: ClassVar[str] = "C050"


def _arguments(parser: Parser) -> None:
    parser.add_argument(
        "what", metavar="WHAT", choices=[*tell.REPORTS, tell.WAIT], help=", ".join([*tell.REPORTS, tell.WAIT])
    )
    parser.add_argument(
        "text", metavar="TEXT", nargs="*", help="in words: the task, the checkpoint, the blocker"
    )
    parser.add_argument("--data", metavar="JSON", help="more, for programs")
    parser.add_argument(
        "--wait", action="store_true", help="with `blocked`: until it is settled; prints the note about it"
    )
    parser.add_argument(
        "--timeout", metavar="S", type=float, help="wait so many seconds at the longest; then exit with 3"
    )


def _act(options: Any, _terminal: Terminal) -> int:
    text = " ".join(options.text)
    _check(options, text)
    folder = os.environ.get("MAESTRI_MAILBOX", "")
    words = [options.what, *(["--data", options.data] if options.data is not None else [])]
    words += ["--wait"] if options.wait else []
    words += ["--timeout", str(options.timeout)] if options.timeout is not None else []
    code = tell.quick([*words, "--", *([text] if text else [])], folder)
    if code is None or code == tell.GONE:
        raise _nobody(folder)
    return exits.SUCCEEDED if code == 0 else exits.WAITING


def _check(options: Any, text: str) -> None:
    """Refuse what cannot be reported.

    Raises:
        BadArguments: A text is missing, too much or too long, or the data are not JSON.
    """
    if options.data is not None and len(str(json_value(options.data, "--data"))) > tell.LARGEST_BYTES // 2:
        raise BadArguments("--data is too large for a report", fix="keep it in a file, and name the file")
    if not text and options.what not in _WITHOUT_TEXT:
        raise BadArguments("TEXT is missing", fix=f'say what: `maestri tell {options.what} "some words"`')
    if text and options.what == tell.WAIT:
        raise BadArguments(
            "`wait` takes no text", fix="to report a blocker: `maestri tell blocked TEXT --wait`"
        )
    if options.wait and options.what not in {"blocked", tell.WAIT}:
        raise BadArguments("only a blocker can be waited for", fix="leave --wait out")
    if len(text) > tell.LONGEST_TEXT:
        message = f"a text of {len(text):,} characters is too long for a report"
        raise BadArguments(message, fix=f"use up to {tell.LONGEST_TEXT:,}; keep the rest in a file")


def _nobody(folder: str) -> NotInStep:
    if not folder:
        message, cause = "this is no process of a step", "MAESTRI_MAILBOX is not set"
        return NotInStep(message, cause=cause, fix="call it in a command that a workflow runs")
    message, cause = "the step of this process takes no reports any more", f"{folder} cannot be written to"
    return NotInStep(message, cause=cause, fix="report while the step is under way", file=folder)


command = Command(_arguments, _act)
