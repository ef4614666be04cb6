"""`maestri signal` and `maestri answer`: a word to a run, from outside."""

from __future__ import annotations

import json
from typing import Any

from maestri.cli import exits
from maestri.cli.main import FITTED, resolve
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
    run = open_run(project, options.run)
    check_name(options.name)
    value = json_value(options.data, "--data") if options.data is not None else None
    project.post(run, "signal", {"name": options.name, "value": value})
    tell_posted(terminal, run, f"the signal `{options.name}`")
    return exits.SUCCEEDED


def _answer_arguments(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run")
    parser.add_argument("path", metavar="PATH", help="the step that asks")
    parser.add_argument("value", metavar="VALUE", help="the answer")


def _answer(options: Any, terminal: Terminal) -> int:
    project = Project(state=options.state)
    run = open_run(project, options.run)
    path = parse(options.path)
    reader = project.reader(run)
    try:
        value = check_answer(read_tree(reader), run, path, options.value)
    finally:
        reader.close()
    project.post(run, "answer", {"path": path, "value": value})
    tell_posted(terminal, run, "the answer")
    return exits.SUCCEEDED


def open_run(project: Project, text: str) -> RunInfo:
    """Return a run that has not ended.

    Raises:
        RunEnded: It has.
    """
    run = project.find(text)
    if run.end is not None:
        message = f"run {run.name} has ended: nothing waits for a word"
        raise RunEnded(message, fix=f"see what came of it with `maestri show {run.name}`", run=run.name)
    return run


def check_answer(tree: Tree, run: RunInfo, path: str, value: str) -> Json:
    """Return an answer as the question wants it: a text, or the JSON that the text holds.

    Raises:
        PathNotFound: No question is open there.
        BadArguments: It is none of the question's options, or does not fit its schema.
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
    if wait.schema is None:
        return value
    found, problems = resolve(FITTED)(value, wait.schema)
    if problems:
        message = f"`{one_line(value)[:80]}` does not fit: {one_line('; '.join(problems))}"
        fix = f"give JSON of this form: {one_line(json.dumps(wait.schema))[:300]}"
        raise BadArguments(message, fix=fix, path=path)
    answer: Json = found
    return answer


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


def tell_posted(terminal: Terminal, run: RunInfo, what: str) -> None:
    """Say that a word was posted, and when the run takes it."""
    if run.alive:
        terminal.say(f"{what} is on its way to run {run.name}")
    else:
        terminal.say(f"{what} is stored; run {run.name} takes it when it goes on: maestri resume {run.name}")


signal = Command(_signal_arguments, _signal)
answer = Command(_answer_arguments, _answer)
