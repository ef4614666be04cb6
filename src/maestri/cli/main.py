"""The command `maestri`: one table of commands, each loaded when it is called.

Rule 1: asking for help, or looking at runs, imports neither asyncio nor yaml nor rich.
Rule 2: whatever goes wrong becomes a diagnostic and an exit code; a traceback goes to a file.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

from maestri.cli import exits
from maestri.cli.aside import open_missing
from maestri.cli.terminal import OutputLost, Terminal
from maestri.cli.usage import BadArguments, Command, Parser, UnknownCommand, UnknownOption, did_you_mean
from maestri.errors import DefinitionError, Diagnostic, MaestriError
from maestri.report.wording import clean, one_line

# Each command: where it is, and what it does in one line. The order is that of the help.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "try": ("maestri.cli.trying:command", "see it work: five scripted workers, one of them killed"),
    "run": ("maestri.cli.run:command", "start a workflow and follow it to its end"),
    "land": ("maestri.cli.landing:command", "bring branches together, each verified, what breaks left out"),
    "prove": ("maestri.cli.prove:command", "look for every change of some branches in a result"),
    "forecast": ("maestri.cli.forecasting:command", "say which branches, or workers, will conflict"),
    "resume": ("maestri.cli.resume:command", "go on with a run that stopped"),
    "cancel": ("maestri.cli.cancel:command", "cancel a run, or a step of it"),
    "retry": ("maestri.cli.decide:retry", "do a failed step again, and go on"),
    "skip": ("maestri.cli.decide:skip", "leave a failed step out, and go on"),
    "accept": ("maestri.cli.decide:accept", "give the output of a failed step by hand, and go on"),
    "answer": ("maestri.cli.post:answer", "answer a question that a run asks"),
    "signal": ("maestri.cli.post:signal", "send a signal to a run"),
    "inbox": ("maestri.cli.inbox:command", "list what waits for a person, in all runs of this folder"),
    "unblock": ("maestri.cli.unblock:command", "settle what blocks a step: its own report, or a handoff"),
    "tell": ("maestri.cli.telling:command", "report from within a step: a task, a checkpoint, a blocker"),
    "ps": ("maestri.cli.ps:command", "list the runs of this folder"),
    "show": ("maestri.cli.show:command", "show a run, or everything about one step"),
    "events": ("maestri.cli.events:command", "print the journal of a run"),
    "logs": ("maestri.cli.logs:command", "print what a run, or a step of it, has written"),
    "report": ("maestri.cli.report:command", "report what a run was asked, what came of it, what is left"),
    "check": ("maestri.cli.check:command", "find what is wrong with definitions, without running them"),
    "import": ("maestri.cli.importing:command", "write a file of another system as a workflow of ours"),
    "cache": ("maestri.cli.cache:command", "list, show or clear the outputs that are kept for other runs"),
    "workspaces": ("maestri.cli.workspaces:command", "list, show or remove the places that steps work in"),
    "workflows": ("maestri.cli.workflows:command", "list the workflows that can be called by name"),
    "graph": ("maestri.cli.graph:command", "draw a definition or a run"),
    "patterns": ("maestri.cli.patterns:command", "list the patterns, or show what one is for"),
    "suggest": ("maestri.cli.suggest:command", "say which pattern fits a definition, or five answers"),
    "schema": ("maestri.cli.schema:command", "print the JSON Schema of definitions, for editors"),
    "doctor": ("maestri.cli.doctor:command", "look whether this machine has what runs need"),
    "shell-init": ("maestri.cli.shell_init:command", "print functions with which shell scripts report"),
    "completion": ("maestri.cli.completion:command", "print the completions for a shell"),
    "version": ("maestri.cli.version:command", "print the version"),
}

# What most commands do without.
BUG: Final = "maestri.cli.bug:report_bug"
GIT: Final = "maestri.workspaces.git:Git"
FORECAST: Final = "maestri.landing.watching:of_branches"
FORECAST_LIVE: Final = "maestri.landing.watching:of_workspaces"
LANDING: Final = "maestri.landing.workflow:landing"
LIVE: Final = "maestri.cli.live:LiveTree"
FITTED: Final = "maestri.patterns._answers:fitted"
DETACHED: Final = "maestri.cli.detach:detached"


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line and return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    gc.set_threshold(20_000, 20, 20)  # imports make much that stays, and it would be looked at time and again
    open_missing()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    terminal = Terminal(sys.stdout, sys.stderr, os.environ)
    wants_json = "--json" in words
    try:
        code = _command(words, terminal)
    except MaestriError as error:
        _tell(terminal, error, wants_json=wants_json)
        return exits.of_error(error)
    except KeyboardInterrupt:
        terminal.tell("interrupted")
        return exits.CANCELLED
    except BrokenPipeError:
        terminal.fall_silent()  # who read along has seen enough
        return exits.SUCCEEDED
    except Exception as error:  # a bug: the last place that can say so  # noqa: BLE001
        report_bug = resolve(BUG)
        _say_diagnostics(terminal, [report_bug(error, words)], wants_json=wants_json)
        return exits.BUG
    if terminal.lost is not None:
        terminal.tell(terminal.lost.diagnostic.text())
        return code or exits.FAILED
    return code


def _command(words: list[str], terminal: Terminal) -> int:
    before, name, after = split(words)
    if name in {None, "help"}:
        return _help(before + after, terminal)
    if name not in COMMANDS:
        fix = did_you_mean(str(name), COMMANDS) or "see `maestri --help`"
        raise UnknownCommand(f"`{one_line(str(name))}` is not a command", fix=fix)
    command = load(name)
    options = parser_of(name, command).read([*before, *after])
    return command.act(options, terminal)


def split(words: list[str]) -> tuple[list[str], str | None, list[str]]:
    """Return the options before the command, the command, and the words after it.

    Raises:
        UnknownOption: There is another option than `--state` before the command.
        BadArguments: `--state` has no value.
    """
    before: list[str] = []
    rest = list(words)
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        if word in {"-h", "--help"}:
            return before, None, []
        if word in {"-V", "--version"}:
            return before, "version", rest
        if word == "--state":
            if not rest:
                raise BadArguments("`--state` has no value", fix="name a folder: `--state DIR`")
            before += [word, rest.pop(0)]
        elif word.startswith("--state="):
            before.append(word)
        else:
            name = one_line(word)
            fix = "options of a command come after it: `maestri COMMAND --help` lists them"
            raise UnknownOption(f"`{name}` is not an option of `maestri`", fix=fix)
    return before, (rest[0] if rest else None), rest[1:]


def load(name: str) -> Command:
    """Import the module of a command and return the command."""
    command: Command = resolve(COMMANDS[name][0])
    return command


def resolve(address: str) -> Any:
    """Return what `module:name` names; the module is imported now."""
    module, _, attribute = address.partition(":")
    return getattr(import_module(module), attribute)


def parser_of(name: str, command: Command) -> Parser:
    """Return the parser of a command's arguments."""
    parser = Parser(f"maestri {name}", COMMANDS[name][1] + ".", exits.EPILOG)
    command.arguments(parser)
    return parser


def _help(rest: list[str], terminal: Terminal) -> int:
    named = next((word for word in rest if word in COMMANDS), None)
    if named is not None:
        terminal.say(parser_of(named, load(named)).format_help().rstrip())
        return exits.SUCCEEDED
    lines = [
        "usage: maestri [--state DIR] COMMAND ...",
        "",
        "Runs teams of agents on real work, durably.",
        "",
        "commands:",
        *(f"  {name:<11} {words}" for name, (_, words) in COMMANDS.items()),
        "",
        "options:",
        "  --state DIR  where runs are kept (default: $MAESTRI_STATE, else the state folder of this user)",
        "  --version    print the version",
        "  --help       print this; `maestri COMMAND --help` for a command",
        "",
        "RUN is a name (bold-otter-3), the beginning of a name or id, or @last: the last one of this folder.",
        "",
        exits.EPILOG,
    ]
    terminal.say("\n".join(lines))
    return exits.SUCCEEDED


def _tell(terminal: Terminal, error: MaestriError, *, wants_json: bool) -> None:
    found = error.diagnostics if isinstance(error, DefinitionError) else [error.diagnostic]
    _say_diagnostics(terminal, found, wants_json=wants_json and not isinstance(error, OutputLost))


def _say_diagnostics(terminal: Terminal, found: Sequence[Diagnostic], *, wants_json: bool) -> None:
    if wants_json:
        document: dict[str, Any] = {"status": "error", "diagnostics": [one.as_json() for one in found]}
        terminal.survives = True
        terminal.say_json(document)
    else:
        terminal.tell("\n\n".join(clean(one.text()) for one in found))
