"""`maestri graph`: draw a definition, or a run with the states of its steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from maestri.cli import exits
from maestri.cli.executing import foreign_arguments
from maestri.cli.ps import status
from maestri.cli.terminal import Terminal
from maestri.cli.usage import BadArguments, Command, Parser
from maestri.errors import ConfigError
from maestri.kernel import state
from maestri.project import Project
from maestri.report.diagrams.dot import dot
from maestri.report.diagrams.mermaid import mermaid
from maestri.report.diagrams.runs import of_run
from maestri.report.diagrams.shapes import Shape, of_definition
from maestri.report.diagrams.svg import svg
from maestri.report.reading import read_tree
from maestri.report.wording import one_line

_WRITERS: Final[dict[str, Callable[[Shape], str]]] = {"mermaid": mermaid, "dot": dot, "svg": svg}
_DEFINITIONS: Final = (".yaml", ".yml", ".json", ".py")


def _arguments(parser: Parser) -> None:
    parser.add_argument("target", metavar="FILE|RUN", help="a definition, or a run")
    parser.add_argument("--format", choices=list(_WRITERS), help="default: mermaid, or by the ending of -o")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write (default: standard output)")
    foreign_arguments(parser)


def _act(options: Any, terminal: Terminal) -> int:
    project = Project(state=options.state, default_agent=options.default_agent, dialect=options.dialect)
    shape = _of_file(project, options.target) if is_file(options.target) else _of_run(project, options.target)
    text = _WRITERS[options.format or _by_ending(options.output)](shape)
    if options.output is None:
        terminal.say(text.rstrip("\n"))
        return exits.SUCCEEDED
    try:
        Path(options.output).write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"{options.output} cannot be written: {error.strerror}"
        raise ConfigError(message, fix="name a file that can be written: `-o FILE`") from error
    terminal.say(f"wrote {one_line(options.output)}")
    return exits.SUCCEEDED


def is_file(target: str) -> bool:
    """Tell whether a text names a definition; the name of a run has neither an ending nor a colon."""
    return ":" in target or target.endswith(_DEFINITIONS)


def _of_file(project: Project, target: str) -> Shape:
    loaded = project.load(target)
    if loaded.model is None:
        message = f"`{one_line(target)}` is Python: what it will do is known only when it runs"
        raise BadArguments(message, fix="run it, then draw the run: `maestri graph @last`")
    return of_definition(loaded.model)


def _of_run(project: Project, text: str) -> Shape:
    run = project.find(text)
    reader = project.reader(run)
    try:
        tree, word = read_tree(reader), status(run)
    finally:
        reader.close()
    if word == state.INTERRUPTED:
        tree.interrupt()
    model = project.model_of(run)
    definition = None if model is None else of_definition(model)
    return of_run(tree, run.name, word, time.time() if run.alive else 0.0, definition)


def _by_ending(output: str | None) -> str:
    ending = Path(output).suffix.lstrip(".") if output else ""
    return {"svg": "svg", "dot": "dot", "gv": "dot"}.get(ending, "mermaid")


command = Command(_arguments, _act)
