"""`maestri patterns`: what patterns there are, and what each is for."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill, indent
from typing import Any

from maestri.cli import exits
from maestri.cli.terminal import Terminal
from maestri.cli.usage import BadArguments, Command, Parser, did_you_mean
from maestri.guide.skeleton import skeleton
from maestri.guide.words import Words, words
from maestri.patterns._registry import Option, PatternSpec
from maestri.project import Project
from maestri.report.outline import BOLD, DIM
from maestri.report.wording import counted, one_line

_WIDEST = 100


def _arguments(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="a pattern; all of them in short without it")
    parser.add_argument("--json", action="store_true", help="as a JSON document")


def _act(options: Any, terminal: Terminal) -> int:
    patterns = Project(state=options.state).patterns
    if options.name is not None and options.name not in patterns:
        name = one_line(options.name)
        fix = did_you_mean(name, patterns) or "`maestri patterns` lists them"
        raise BadArguments(f"there is no pattern `{name}`", fix=fix)
    chosen = [patterns[options.name]] if options.name else [patterns[name] for name in patterns]
    if options.json:
        documents = [document(spec) for spec in chosen]
        terminal.say_json(documents[0] if options.name else documents, indent=2)
    elif options.name:
        terminal.say("\n".join(_whole(chosen[0], terminal)))
    else:
        terminal.say("\n\n".join("\n".join(_short(spec, terminal)) for spec in chosen))
        closing = f"{counted(len(chosen), 'pattern')}; `maestri patterns NAME` tells more of one"
        terminal.say(f"\n{closing}, and `maestri suggest` says which one fits")
    return exits.SUCCEEDED


def document(spec: PatternSpec) -> dict[str, Any]:
    """Return all that is known of a pattern, for programs."""
    said = words(spec)
    return {
        "name": spec.keyword,
        "summary": said.summary,
        "shape": said.shape,
        "when": said.when,
        "not": said.avoid,
        "journal": said.journal,
        "cost": said.cost,
        "source": said.source,
        "options": [_option(option) for option in spec.options],
        "example": skeleton(spec),
    }


def _option(option: Option) -> dict[str, Any]:
    return {
        "name": option.name,
        "kind": option.kind,
        "required": option.required,
        "default": option.default,
        "words": list(option.words),
        "binds": list(option.binds.names),
        "doc": option.doc,
    }


def _short(spec: PatternSpec, terminal: Terminal) -> Iterator[str]:
    said = words(spec)
    yield f"{terminal.style(f'{spec.keyword:<10}', BOLD)} {_readable(said.summary, terminal)}"
    yield indent(terminal.style(_readable(said.shape, terminal), ""), " " * 11)


def _whole(spec: PatternSpec, terminal: Terminal) -> Iterator[str]:
    said = words(spec)
    width = min(terminal.columns, _WIDEST)
    yield f"{terminal.style(spec.keyword, BOLD)}  {said.summary}"
    yield ""
    yield indent(_readable(said.shape, terminal), "    ")
    yield ""
    for name, text in _parts(said):
        yield fill(f"{name:<9}{_readable(text, terminal)}", width, subsequent_indent=" " * 9)
    yield ""
    yield terminal.style("keys", DIM)
    for option in spec.options:
        yield from _key(option, width)
    yield ""
    yield terminal.style("in YAML", DIM)
    yield indent(skeleton(spec), "    ")


def _parts(said: Words) -> Iterator[tuple[str, str]]:
    yield from (("when", said.when), ("not if", said.avoid), ("cost", said.cost), ("journal", said.journal))


def _key(option: Option, width: int) -> Iterator[str]:
    notes = ["required"] if option.required else []
    notes += [] if option.default is None else [f"default: {str(option.default).lower()}"]
    notes += [f"sees {', '.join(option.binds.names)}"] if option.binds.names else []
    text = f"{option.doc.rstrip('.')} ({'; '.join(notes)})" if notes else option.doc.rstrip(".")
    yield fill(f"    {option.name:<15} {text}", width, subsequent_indent=" " * 20)


# What a drawing is made of where there are no signs beyond ASCII.
_ASCII = str.maketrans("─│┌┐└┘├┤┬┴┼…·", "-|++++++" + "+++.-")


def _readable(text: str, terminal: Terminal) -> str:
    return text if terminal.is_unicode else text.translate(_ASCII)


command = Command(_arguments, _act)
