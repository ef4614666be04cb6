"""`maestri completion`: what a shell needs to complete commands, options and names of runs."""

from __future__ import annotations

import argparse
from typing import Any, Final

import shtab

from maestri.cli import exits
from maestri.cli.main import COMMANDS, load
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser

# A shell asks for the names of runs when it completes one.
_NAMES: Final = {
    "bash": '_maestri_runs() { compgen -W "$(maestri ps --all --names 2>/dev/null) @last" -- "$1"; }',
    "zsh": '_maestri_runs() { compadd -- ${(f)"$(maestri ps --all --names 2>/dev/null)"} @last; }',
}
_RUN: Final = {"bash": "_maestri_runs", "zsh": "_maestri_runs"}
_FISH_RUNS: Final = (
    "complete -c maestri -n '__fish_seen_subcommand_from {}' -f -a '(maestri ps --all --names) @last'"
)
_FILES: Final = frozenset({"file", "files", "target", "input_file", "output"})


def _arguments(parser: Parser) -> None:
    parser.add_argument("shell", choices=["bash", "zsh", "fish"], help="for which shell")


def _act(options: Any, terminal: Terminal) -> int:
    parser = whole_parser()
    text = shtab.complete(parser, shell=options.shell, preamble=_NAMES.get(options.shell, ""))
    if options.shell == "fish":
        text += _FISH_RUNS.format(" ".join(_with_runs(parser))) + "\n"
    terminal.say(text.rstrip("\n"))
    return exits.SUCCEEDED


def whole_parser() -> argparse.ArgumentParser:
    """Return one parser with all commands in it, as completion needs it; nothing else loads them all."""
    parser = argparse.ArgumentParser(prog="maestri")
    parser.add_argument("--state", metavar="DIR", help="where runs are kept")
    commands = parser.add_subparsers(dest="command")
    for name, (_, words) in COMMANDS.items():
        made = Parser(f"maestri {name}", words)
        load(name).arguments(made)
        commands.add_parser(name, help=words, parents=[made], add_help=False, conflict_handler="resolve")
        for action in actions_of(made):
            _complete(action)
    return parser


def actions_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the declared arguments; argparse has no public way to ask for them."""
    return parser._actions  # noqa: SLF001


def _complete(action: argparse.Action) -> None:
    if action.dest == "run":
        action.complete = _RUN  # type: ignore[attr-defined]
    elif action.dest == "state":
        action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    elif action.dest in _FILES and not action.choices:
        action.complete = shtab.FILE  # type: ignore[attr-defined]


def _with_runs(parser: argparse.ArgumentParser) -> list[str]:
    """Return the commands whose first argument is a run."""
    found = []
    for action in actions_of(parser):
        for name, inner in (action.choices or {}).items() if isinstance(action.choices, dict) else ():
            found += [name] if any(one.dest == "run" for one in actions_of(inner)) else []
    return found


command = Command(_arguments, _act)
