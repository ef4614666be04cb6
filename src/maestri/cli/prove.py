"""`maestri prove`: whether all that branches have changed is in what they became."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from maestri.cli import exits
from maestri.cli.terminal import Terminal
from maestri.cli.usage import BadArguments, Command, Parser
from maestri.landing.history import prove_history
from maestri.landing.proof import Finding, Proof
from maestri.report.wording import counted, one_line
from maestri.workspaces.git import Git

_SHORT = 12


def _arguments(parser: Parser) -> None:
    parser.add_argument("result", metavar="RESULT", help="the commit or branch that they became")
    parser.add_argument("branches", metavar="BRANCH", nargs="+", help="branches or commits that went into it")
    parser.add_argument(
        "--base", metavar="REV", help="what they were landed on (default: found in the history of RESULT)"
    )
    parser.add_argument("--json", action="store_true", help="as a JSON document")


def _act(options: Any, terminal: Terminal) -> int:
    git = Git(os.getcwd())  # noqa: PTH109 - a path of bytes that are no text is taken as it is
    result, base = git.resolve(options.result), options.base and git.resolve(options.base)
    branches = _branches(git, options.branches, result)
    proof = prove_history(git, result, branches, base=base, threads=os.cpu_count() or 1)
    if options.json:
        terminal.say_json(proof.as_json(), indent=2)
    else:
        _show(proof, terminal)
    return exits.FAILED if proof.lost else exits.SUCCEEDED


def _branches(git: Git, names: list[str], result: str) -> dict[str, str]:
    """Return the commits of branches by name.

    Raises:
        BadArguments: One is named twice, or is the result.
    """
    found: dict[str, str] = {}
    for name in names:
        if name in found:
            raise BadArguments(f"the branch `{one_line(name)}` is named twice", fix="name it once")
        found[name] = git.resolve(name)
        if found[name] == result and len(names) == 1:
            message = f"`{one_line(name)}` is the result itself"
            raise BadArguments(message, fix="name first what the branches became, then the branches")
    return found


def _show(proof: Proof, terminal: Terminal) -> None:
    document: Mapping[str, Any] = proof.as_json()
    width = max(len(one_line(name)) for name in proof.tips)
    for name, one in document["branches"].items():
        there = one["hunks"] - one["listed"]
        told = f"{there:,} of {counted(one['hunks'], 'change')}"
        terminal.say(f"{one_line(name):<{width}}  {one['commit'][:_SHORT]}  {told}")
    for finding in (one for one in proof.findings if one.reason.verdict != "present"):
        _tell(finding, terminal)
    if proof.lost:
        terminal.say(f"not proved: {counted(len(proof.lost), 'change')} lost in {proof.result[:_SHORT]}")
    else:
        total, present = document["hunks"], document["present"]
        listed = f", {counted(total - present, 'other')} for the reasons above" if total > present else ""
        told = f"{present:,} of {counted(total, 'change')} are in {proof.result[:_SHORT]}{listed}"
        terminal.say(f"proved: {told}")


def _tell(finding: Finding, terminal: Terminal) -> None:
    terminal.say(one_line(finding.text()))
    if finding.reason.verdict == "lost":
        for line in finding.lines:
            terminal.say(f"    {one_line(line)}")


command = Command(_arguments, _act)
