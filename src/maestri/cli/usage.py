"""Reads command lines: argparse, with mistakes told as Maestri tells all mistakes."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any, ClassVar, NoReturn

from maestri.cli.terminal import Terminal
from maestri.errors import ConfigError
from maestri.records import NamedTuple
from maestri.report.wording import one_line

HELP_COLUMNS = 100


class UnknownCommand(ConfigError):
    """There is no such command."""

    code: ClassVar[str] = "C020"


class UnknownOption(ConfigError):
    """The command has no such option."""

    code: ClassVar[str] = "C021"


class BadArguments(ConfigError):
    """An argument is missing, or is not what is expected in its place."""

    code: ClassVar[str] = "C022"


class Command(NamedTuple):
    """A command: how its arguments are declared, and what it does; `act` returns the exit code."""

    arguments: Callable[[Parser], None]
    act: Callable[[Any, Terminal], int]


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        # Without a width argparse would import shutil to ask the terminal.
        super().__init__(prog, max_help_position=28, width=HELP_COLUMNS)


class Parser(argparse.ArgumentParser):
    """The arguments of one command. Abbreviated options are not taken: a later option would break them."""

    def __init__(self, prog: str, description: str, epilog: str = "") -> None:
        """Begin with `--state` and `--help`."""
        super().__init__(
            prog=prog, description=description, epilog=epilog, formatter_class=_Formatter, allow_abbrev=False
        )
        self.add_argument("--state", metavar="DIR", help="where runs are kept (default: $MAESTRI_STATE)")

    def read(self, argv: Sequence[str]) -> argparse.Namespace:
        """Return the arguments as attributes.

        Raises:
            UnknownOption: An option is not known.
            BadArguments: Something is missing, too much, or of a wrong kind.
        """
        unknown = self._unknown(argv)
        if unknown is not None:
            self._refuse(unknown)
        options, rest = self.parse_known_args(argv)
        if rest:
            self._refuse(rest[0])
        return options

    def _unknown(self, argv: Sequence[str]) -> str | None:
        """Return the first option that is not known; argparse would complain of what is missing first."""
        for word in argv:
            if word == "--":
                return None
            name = word.partition("=")[0]
            if name.startswith("--") and name not in self._option_string_actions:
                return word
        return None

    def _refuse(self, word: str) -> NoReturn:
        name = one_line(word.partition("=")[0])
        if not word.startswith("-"):
            message = f"`{one_line(word)}` is one argument too many for `{self.prog}`"
            raise BadArguments(message, fix=f"see `{self.prog} --help`")
        known = [option for option in self._option_string_actions if option.startswith("--")]
        fix = did_you_mean(name, known) or f"see `{self.prog} --help`"
        raise UnknownOption(f"`{name}` is not an option of `{self.prog}`", fix=fix)

    def error(self, message: str) -> NoReturn:
        """Raise what argparse complains about, in our form.

        Raises:
            BadArguments: Always.
        """
        raise BadArguments(_reworded(message), fix=f"see `{self.prog} --help`")


_MISSING = r"the following arguments are required: (.+)"
_CHOICE = r"argument (\S+): invalid choice: '(.*)' \(choose from (.+)\)"
_VALUE = r"argument (\S+): (.+)"


def _reworded(message: str) -> str:
    """Return a complaint of argparse with the offending word first."""
    if found := re.match(_MISSING, message):
        return f"{found[1]} is missing"
    if found := re.match(_CHOICE, message):
        return f"`{one_line(found[2])}` is not a value of {found[1]}: {found[3].replace(chr(39), '')}"
    if found := re.match(_VALUE, message):
        return f"{found[1]}: {one_line(found[2])}"
    return one_line(message)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a suggestion for a misspelt word, or an empty text."""
    close = get_close_matches(word[:100], list(known), n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else ""


def whole_number(text: str) -> int:
    """Return a number of 1 or more that an option was given.

    Raises:
        ArgumentTypeError: It is none.
    """
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        message = f"`{text}` is not a whole number from 1"
        raise argparse.ArgumentTypeError(message)
    return int(text)
