"""`maestri signal` and `maestri answer`: a word to a run, from outside."""

from __future__ import annotations

import json
from typing import Any

from maestri.cli import exits
from maestri.cli.terminal import Terminal
from maestri.cli.usage import BadArguments, Command, Parser, did_you_mean
from maestri.errors import PathNotFound, RunEnded
from maestri.kernel.path import check_name, parse
from maestri.kernel.ports import RunInfo
from maestri.project import Project
from maestri.report.reading import read_tree
from maestri.report.tree import Tree
from maestri.report.wording import one_line
from maestri.values import Json


def _signal_arguments(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run")
    parser.add_argument("name", metavar="NAME", help="the name that the run waits for")
    parser.add_argument(
        "--data", metavar="JSON", help="what the waiting step gets as its output (default: null)"
    )


def _signal(options: Any, terminal: Terminal) -> int:
    project = Project(state=options.state)
    run = _open_run(project, options.run)
    check_name(options.name)
    value = json_value(options.data, "--data") if options.data is not None else None
    project.post(run, "signal", {"name": options.name, "value": value})
    _tell_posted(terminal, run, f"the signal `{options.name}`")
    return exits.SUCCEEDED


def _answer_arguments(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run")
    parser.add_argument("path", metavar="PATH", help="the step that asks")
    parser.add_argument("value", metavar="VALUE", help="the answer")


def _answer(options: Any, terminal: Terminal) -> int:
    project = Project(state=options.state)
    run = _open_run(project, options.run)
    path = parse(options.path)
    reader = project.reader(run)
    try:
        check_answer(read_tree(reader), run, path, options.value)
    finally:
        reader.close()
    project.post(run, "answer", {"path": path, "value": options.value})
    _tell_posted(terminal, run, "the answer")
    return exits.SUCCEEDED


def _open_run(project: Project, text: str) -> RunInfo:
    run = project.find(text)
    if run.end is not None:
        message = f"run {run.name} has ended: nothing waits for a word"
        raise RunEnded(message, fix=f"see what came of it with `maestri show {run.name}`", run=run.name)
    return run


def check_answer(tree: Tree, run: RunInfo, path: str, value: str) -> None:
    """Refuse an answer to a question that nobody asks, or one that is no option of it.

    Raises:
        PathNotFound: No question is open there.
        BadArguments: The question has options, and this is none.
    """
    wait = tree.waits.get(path)
    if wait is None or not wait.question:
        asking = [one for one, other in tree.waits.items() if other.question]
        fix = (
            f"questions are open at: {', '.join(asking)}"
            if asking
            else "no step of this run asks anything now"
        )
        raise PathNotFound(f"`{path}` asks nothing", fix=fix, run=run.name, path=path)
    if wait.options and value not in wait.options:
        choice = ", ".join(f"`{one_line(option)}`" for option in wait.options)
        fix = did_you_mean(value, wait.options) or f"answer one of: {choice}"
        raise BadArguments(f"`{one_line(value)}` is not one of the options {choice}", fix=fix, path=path)


def json_value(text: str, option: str) -> Json:
    """Return the value of a JSON text from the command line.

    Raises:
        BadArguments: It is not JSON.
    """
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"{option} is not JSON: {error}"
        fix = f"""quote a text twice: {option} '"some text"'; a mapping: {option} '{{"a": 1}}'"""
        raise BadArguments(message, fix=fix) from error
    return value


def _tell_posted(terminal: Terminal, run: RunInfo, what: str) -> None:
    if run.alive:
        terminal.say(f"{what} is on its way to run {run.name}")
    else:
        terminal.say(f"{what} is stored; run {run.name} takes it when it goes on: maestri resume {run.name}")


signal = Command(_signal_arguments, _signal)
answer = Command(_answer_arguments, _answer)
