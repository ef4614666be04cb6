"""`maestri suggest`: which pattern fits, by what a definition shows or by the answers to five questions."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from textwrap import fill, indent
from typing import Any

from maestri.cli import exits
from maestri.cli.asking import choice
from maestri.cli.executing import foreign_arguments
from maestri.cli.importing import SCRIPTED
from maestri.cli.terminal import Terminal
from maestri.cli.usage import BadArguments, Command, Parser
from maestri.guide.advice import Advice
from maestri.guide.questions import QUESTIONS, Fitting, Question, complete, fitting
from maestri.guide.skeleton import skeleton
from maestri.guide.suggesting import suggestions
from maestri.guide.words import words
from maestri.lang.source import suggest as did_you_mean
from maestri.project import Project
from maestri.project.foreign import VARIABLE
from maestri.report.outline import BOLD, DIM, GOOD
from maestri.report.wording import clean, counted, one_line

_WIDEST = 100
_PLAIN = "a plain step: `run`, `agent` or `call`"
_ENOUGH = "one piece of work, done once, needs no pattern"


def _arguments(parser: Parser) -> None:
    parser.add_argument(
        "file", metavar="FILE", nargs="?", help="a definition; without it five questions are asked"
    )
    given = "the answers, as in `parts=list,fails=rest`; what is not given is asked on a terminal"
    parser.add_argument("--answers", metavar="NAME=WORD,…", help=given)
    parser.add_argument("--questions", action="store_true", help="list the questions with their answers")
    parser.add_argument("--json", action="store_true", help="as a JSON document")
    foreign_arguments(parser)


def _act(options: Any, terminal: Terminal) -> int:
    # Who answers for the agents of another system's file is of no matter here: nothing is run.
    agent = options.default_agent or os.environ.get(VARIABLE) or SCRIPTED
    project = Project(state=options.state, default_agent=agent, dialect=options.dialect)
    if options.questions:
        return _list_questions(options, terminal)
    if options.file is not None:
        if options.answers is not None:
            message = "a definition is looked at, or answers are: not both"
            raise BadArguments(message, fix="leave out FILE or `--answers`")
        return _of_file(project, options, terminal)
    given = _given(options.answers)
    if options.answers is None and not (terminal.is_terminal and sys.stdin.isatty()):
        message = "there is nothing to suggest from: no FILE, no `--answers`, and no terminal to ask on"
        fix = "name a definition, or give answers: `maestri suggest --questions` lists them"
        raise BadArguments(message, fix=fix)
    asked = given if options.answers is not None else _ask(terminal)
    if asked is None:
        terminal.tell("not all questions were answered")
        return exits.CANCELLED
    return _of_answers(project, asked, options, terminal)


# --- of a definition ------------------------------------------------------------------------------


def _of_file(project: Project, options: Any, terminal: Terminal) -> int:
    model = project.load(options.file).model
    if model is None:
        message = f"`{one_line(options.file)}` is Python: what it will do is known only when it runs"
        raise BadArguments(message, fix="answer the questions instead: `maestri suggest`")
    found = suggestions(model)
    if options.json:
        terminal.say_json({"file": options.file, **_as_json(found)}, indent=2)
        return exits.SUCCEEDED
    better = [advice for advice in found if not advice.is_praise]
    name = one_line(model.source.name)
    terminal.say(f"{name}: {counted(len(better), 'suggestion') if better else 'nothing to suggest'}")
    for advice in found:
        terminal.say("\n" + "\n".join(_advice(advice, name, terminal)))
    return exits.SUCCEEDED


def _as_json(found: list[Advice]) -> dict[str, Any]:
    shown = [
        {
            "habit": one.habit,
            "pattern": one.pattern or None,
            "where": one.where,
            "says": one.says,
            "because": one.because,
            "steps": [{"name": step.name, "line": step.line, "verb": step.what} for step in one.seen],
            "fix": one.fix,
            "example": one.example,
        }
        for one in found
    ]
    return {
        "suggestions": [entry for entry in shown if entry["fix"]],
        "fits": [{key: entry[key] for key in _PRAISE} for entry in shown if not entry["fix"]],
    }


_PRAISE = ("pattern", "where", "says", "because", "steps")


def _advice(advice: Advice, file: str, terminal: Terminal) -> Iterator[str]:
    width = min(terminal.columns, _WIDEST)
    if advice.is_praise:
        yield fill(f"{terminal.style('fits', GOOD)}: {clean(advice.says)}, for {advice.because}", width)
        return
    yield fill(f"{terminal.style(advice.habit, BOLD)}: {clean(advice.says)}", width)
    named = max(len(step.name) for step in advice.seen)
    for step in advice.seen[:_SHOWN]:
        yield f"  {file}:{step.line}  {step.name:<{named}}  {step.what}"
    if len(advice.seen) > _SHOWN:
        yield f"  and {len(advice.seen) - _SHOWN} more"
    yield fill(f"because: {clean(advice.because)}", width, initial_indent="  ", subsequent_indent="    ")
    yield fill(f"fix: {clean(advice.fix)}", width, initial_indent="  ", subsequent_indent="    ")
    if advice.example:
        yield indent(clean(advice.example), "      ")


_SHOWN = 12


# --- of answers -----------------------------------------------------------------------------------


def _list_questions(options: Any, terminal: Terminal) -> int:
    if options.json:
        document = [{"name": one.name, "text": one.text, "answers": dict(one.answers)} for one in QUESTIONS]
        terminal.say_json(document, indent=2)
        return exits.SUCCEEDED
    for number, question in enumerate(QUESTIONS):
        terminal.say(("\n" if number else "") + f"{terminal.style(question.name, BOLD)}  {question.text}")
        for word, meaning in question.answers.items():
            terminal.say(f"  {word:<10} {meaning}")
    return exits.SUCCEEDED


def _given(text: str | None) -> dict[str, str]:
    """Return the answers of a command line.

    Raises:
        BadArguments: A question or an answer is unknown, or given twice.
    """
    found: dict[str, str] = {}
    known = {question.name: question for question in QUESTIONS}
    for part in filter(None, (text or "").replace(" ", "").split(",")):
        name, _, answer = part.partition("=")
        shown = one_line(part)[:80]
        if name not in known:
            fix = did_you_mean(name, list(known)) or f"the questions are {', '.join(known)}"
            raise BadArguments(f"`{shown}` answers no question", fix=fix)
        if answer not in known[name].answers:
            answers = known[name].answers
            fix = did_you_mean(answer, list(answers)) or f"the answers are {', '.join(answers)}"
            raise BadArguments(f"`{shown}` is no answer to: {known[name].text}", fix=fix)
        if name in found:
            raise BadArguments(f"`{name}` is answered twice", fix="give one answer to each question")
        found[name] = answer
    return found


def _ask(terminal: Terminal) -> dict[str, str] | None:
    """Return the answers of the person at the terminal; None at the end of the input."""
    found: dict[str, str] = {}
    for number, question in enumerate(QUESTIONS, start=1):
        answer = _one(terminal, number, question)
        if answer is None:
            return None
        found[question.name] = answer
    terminal.say("")
    return found


def _one(terminal: Terminal, number: int, question: Question) -> str | None:
    terminal.say(f"\n{terminal.style(f'{number} of {len(QUESTIONS)}', DIM)}  {question.text}")
    for place, meaning in enumerate(question.answers.values(), start=1):
        terminal.say(f"  {place}  {meaning}")
    while True:
        terminal.prompt("> ")
        line = sys.stdin.readline()
        if not line:
            return None
        chosen = choice(line.strip(), tuple(question.answers))
        if chosen is not None:
            return chosen
        terminal.say("type the number of an answer")


def _of_answers(project: Project, given: Mapping[str, str], options: Any, terminal: Terminal) -> int:
    found = fitting(given)
    if options.json:
        terminal.say_json(_answered_as_json(project, given, found), indent=2)
        return exits.SUCCEEDED
    terminal.say("\n".join(_fitting(project, found, terminal)))
    missing = [name for name in complete(given) if name not in given]
    if missing:
        taken = ", ".join(f"{name}={complete(given)[name]}" for name in missing)
        terminal.say(f"\nnot answered, and taken as: {taken}")
    return exits.SUCCEEDED


def _answered_as_json(project: Project, given: Mapping[str, str], found: Fitting) -> dict[str, Any]:
    return {
        "answers": complete(given),
        "patterns": [
            {"name": one.pattern, "because": one.because, "example": skeleton(project.patterns[one.pattern])}
            for one in found.patterns
        ],
        "properties": [{"name": one.pattern, "because": one.because} for one in found.properties],
    }


def _fitting(project: Project, found: Fitting, terminal: Terminal) -> Iterator[str]:
    width = min(terminal.columns, _WIDEST)
    if not found.patterns:
        yield fill(f"{terminal.style(_PLAIN, BOLD)}, for {_ENOUGH}", width)
    for number, one in enumerate(found.patterns):
        where = ", and in each part of it" if number else ""
        said = words(project.patterns[one.pattern])
        yield f"{where.lstrip(', ')} {terminal.style(one.pattern, BOLD)}  {said.summary}".strip()
        yield fill(f"because: {one.because}", width, initial_indent="  ", subsequent_indent="    ")
        yield fill(f"not if: {said.avoid}", width, initial_indent="  ", subsequent_indent="    ")
        yield indent(skeleton(project.patterns[one.pattern]), "      ")
    for one in found.properties:
        yield fill(f"beside it {one.pattern}, for {one.because}", width)


command = Command(_arguments, _act)
