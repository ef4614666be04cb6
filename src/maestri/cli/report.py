"""`maestri report`: the closeout of a run, as text, Markdown or one HTML file."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from maestri.cli import exits
from maestri.cli.ps import status
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser
from maestri.errors import ConfigError
from maestri.kernel import state
from maestri.kernel.ports import RunInfo
from maestri.project import Project
from maestri.report.closeout.document import Document
from maestri.report.closeout.facts import read_facts
from maestri.report.closeout.history import history_of
from maestri.report.closeout.html import as_html
from maestri.report.closeout.markdown import as_markdown
from maestri.report.closeout.plan import plan_of
from maestri.report.closeout.sections import Subject, closeout
from maestri.report.closeout.text import as_text
from maestri.report.wording import one_line

_WRITERS: Final[dict[str, Callable[[Document], str]]] = {
    "text": as_text,
    "markdown": as_markdown,
    "html": as_html,
}
_ENDINGS: Final = {"md": "markdown", "markdown": "markdown", "html": "html", "htm": "html"}


def _arguments(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run")
    parser.add_argument("--format", choices=list(_WRITERS), help="default: text, or by the ending of -o")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write (default: standard output)")


def _act(options: Any, terminal: Terminal) -> int:
    project = Project(state=options.state)
    written = _WRITERS[options.format or _by_ending(options.output)](
        report_of(project, project.find(options.run))
    )
    if options.output is None:
        terminal.say(written.rstrip("\n"))
        return exits.SUCCEEDED
    write(written, options.output)
    terminal.say(f"wrote {one_line(options.output)}")
    return exits.SUCCEEDED


def report_of(project: Project, run: RunInfo) -> Document:
    """Return the closeout of a run, from its journal and from git."""
    reader = project.reader(run)
    try:
        facts = read_facts(reader)
    finally:
        reader.close()
    word = status(run)
    if word == state.INTERRUPTED:
        facts.tree.interrupt()
    ended = facts.tree.run.ended or (time.time() if run.alive else run.changed or run.created)
    subject = Subject(run.name, run.id, run.workflow, word, run.cwd, run.created, ended)
    return closeout(subject, facts, plan_of(project.model_of(run)), history_of(facts))


def write(text: str, file: str) -> None:
    """Write a report to a file.

    Raises:
        ConfigError: It cannot be written.
    """
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{file} cannot be written: {error.strerror}"
        raise ConfigError(message, fix="name a file that can be written: `-o FILE`") from error


def _by_ending(output: str | None) -> str:
    return _ENDINGS.get(Path(output).suffix.lstrip(".").lower() if output else "", "text")


command = Command(_arguments, _act)
