"""`maestri land`: bring branches together in any git repository."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from maestri.cli import exits
from maestri.cli.executing import execute, execution_arguments
from maestri.cli.foreground import Way, follow
from maestri.cli.main import LANDING, resolve
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser, whole_number
from maestri.project import Project
from maestri.report.landed import is_whole, page

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def _arguments(parser: Parser) -> None:
    parser.add_argument("branches", metavar="BRANCH", nargs="+", help="the branches to bring together")
    parser.add_argument(
        "--verify", metavar="COMMAND", help="must end well on each branch alone, and on all together"
    )
    parser.add_argument(
        "--into", metavar="BRANCH", help="the branch that is moved (default: a new one, `landed/RUN`)"
    )
    parser.add_argument(
        "--base", metavar="REV", help="where `--into` begins when there is no such branch yet"
    )
    mode = parser.add_mutually_exclusive_group()
    for word, words in (
        ("merge", "each branch as a merge (the default)"),
        ("squash", "each branch as one commit"),
        ("rebase", "the commits of each branch anew, one after the other"),
    ):
        mode.add_argument(f"--{word}", dest="mode", action="store_const", const=word, help=words)
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--resolve", metavar="COMMAND", help="resolves a conflict, in a worktree of its own")
    who.add_argument("--ask", action="store_true", help="ask a person to resolve conflicts")
    parser.add_argument(
        "--no-alone", dest="alone", action="store_false", help="verify together only, and bisect what fails"
    )
    parser.add_argument(
        "--keep-going",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="land the others when a branch must be left out (the default), or nothing",
    )
    parser.add_argument("--dry-run", action="store_true", help="only foretell; nothing is verified or moved")
    parser.add_argument("--fresh", action="store_true", help="verify also what has passed in an earlier run")
    parser.add_argument(
        "--max-concurrent", metavar="N", type=whole_number, help="verifications at once (default: the cores)"
    )
    parser.add_argument(
        "--verify-timeout",
        metavar="TIME",
        type=_seconds,
        default=3600.0,
        help="of one verification (default: 1h)",
    )
    execution_arguments(parser)
    parser.set_defaults(mode="merge")


def _seconds(text: str) -> float:
    """Return a duration like `90s`, `30m`, `2h` in seconds.

    Raises:
        ArgumentTypeError: It is none.
    """
    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS_S or not number.replace(".", "", 1).isdigit():
        message = f"`{text}` is not a duration like `90s`, `30m` or `2h`"
        raise argparse.ArgumentTypeError(message)
    return float(number) * _UNITS_S[unit]


def _act(options: Any, terminal: Terminal) -> int:
    inputs = {
        "branches": options.branches,
        "into": options.into,
        "verify": options.verify,
        "base": options.base,
        "mode": options.mode,
        "resolve": options.resolve,
        "ask": options.ask,
        "alone": options.alone,
        "keep_going": options.keep_going,
        "dry_run": options.dry_run,
        "fresh": options.fresh,
        "max_concurrent": options.max_concurrent,
        "verify_timeout_s": options.verify_timeout,
    }

    def go(way: Way, inner: Terminal) -> int:
        project = Project(state=options.state)
        loaded = project.of_function(resolve(LANDING))
        given = project.inputs_for(loaded, inputs)
        told = way._replace(page=page, code=_code)
        return follow(project, inner, told, lambda opened: opened.start(loaded, given))

    return execute(options, terminal, go)


def _code(output: Mapping[str, Any]) -> int:
    """Return the exit code: a landing that left branches out is not what was asked for."""
    return exits.SUCCEEDED if is_whole(output) else exits.FAILED


command = Command(_arguments, _act)
