"""Write docs/reference/ from the source, or (`--check`) say which of its pages are stale.

Rule: a page that can be derived is derived; what is written by hand says what a program cannot know.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ForwardRef

import language_page
import pattern_pages
import public_names
from maestri import errors
from maestri.kernel import events, state
from sources import ROOT, Finding, conclude

FOLDER = ROOT / "docs" / "reference"
HEAD = "<!-- Written by `make docs` from the source: change it there. -->\n"


def states_page() -> str:
    """Return the page of states: a diagram and a table of every legal transition."""
    lines = [
        "# States",
        "",
        "What a step, a scope and a run can be in, and which event leads from one to the next.",
    ]
    lines += ["Everything that shows a state derives it from the events by this table.", ""]
    arrows: dict[tuple[str, str], list[str]] = {}
    for (before, kind), after in state.TRANSITIONS.items():
        arrows.setdefault((before, after), []).append(events.NAMES[kind])
    for title, wanted in (("A step", "step."), ("A scope", "scope."), ("A run", "run.")):
        lines += [f"## {title}", "", "```mermaid", "stateDiagram-v2"]
        for (before, after), kinds in arrows.items():
            lines += [f"    {before} --> {after}: {kind}" for kind in kinds if kind.startswith(wanted)]
        lines += ["```", "", "| from | event | to |", "|---|---|---|"]
        for (before, kind), after in state.TRANSITIONS.items():
            if events.NAMES[kind].startswith(wanted):
                lines.append(f"| {before} | `{events.NAMES[kind]}` | {after} |")
        lines.append("")
    return "\n".join([*lines, *_workers()])


def _workers() -> list[str]:
    """Return the part of the page of states that has them in the words of other systems."""
    lines = ["## As workers", ""]
    lines += ["`maestri show RUN --workers`, and the field `worker_state` of `maestri show RUN --json`, say"]
    lines += [
        "the same in seven words. A step is `starting` from the start of its attempt to that of its first"
    ]
    lines += [
        "process; what was skipped because something else has failed is PENDING: its needs are not met."
    ]
    lines += [""]
    lines += ["| worker | state |", "|---|---|"]
    for word in dict.fromkeys(state.WORKER_STATES.values()):
        found = ", ".join(one for one, other in state.WORKER_STATES.items() if other == word)
        lines.append(f"| {word} | {found} |")
    return [*lines, ""]


def events_page() -> str:
    """Return the page of events: the kinds of records in a journal and their fields."""
    lines = ["# Events", ""]
    lines += [
        "The records of a journal, as `events --jsonl` shows them. Each also has `seq`, `at` (seconds since"
    ]
    lines += [
        "1970), `kind`, and where it concerns a step or scope `path`. A number never changes its meaning.",
        "",
    ]
    lines += ["| number | kind | fields | read by a resume |", "|---|---|---|---|"]
    for kind, name in events.NAMES.items():
        fields = ", ".join(f"`{field}`" for field in events.FIELDS[kind])
        lines.append(f"| {kind} | `{name}` | {fields} | {'yes' if kind > events.LAST_PASSING else 'no'} |")
    return "\n".join([*lines, ""])


def _subclasses(cls: type[BaseException], depth: int = 0) -> Iterator[tuple[type[BaseException], int]]:
    yield cls, depth
    subclasses: list[type[BaseException]] = cls.__subclasses__()
    for sub in subclasses:
        if sub.__module__.startswith("maestri.") and sub.__module__.endswith("errors"):
            yield from _subclasses(sub, depth + 1)


def error_classes_page() -> str:
    """Return the page of error classes: who must act, the code, and whether a retry helps."""
    lines = ["# Error classes", ""]
    lines += ["Catch `MaestriError` to catch them all. Words are what `retry: {on: [...]}` takes.", ""]
    lines += ["| class | code | word | retried by default | what |", "|---|---|---|---|---|"]
    for cls, depth in _subclasses(errors.MaestriError):
        word = again = ""
        if issubclass(cls, errors.RunError):
            word, again = f"`{cls.kind}`", "yes" if cls.retryable else "no"
        code = getattr(cls, "code", "")
        what = _summary(cls).replace("|", "\\|")
        lines.append(f"| {'· ' * depth}`{cls.__name__}` | {code} | {word} | {again} | {what} |")
    for other in (errors.InternalError, errors.Suspended):
        lines.append(f"| `{other.__name__}` | | | | {_summary(other)} |")
    return "\n".join([*lines, ""])


def _summary(thing: Any) -> str:
    text = inspect.getdoc(thing) or ""
    return " ".join(text.split("\n\n")[0].split())


class _Word(str):
    """An annotation that is shown as it was written, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _shown(annotation: Any) -> Any:
    if isinstance(annotation, ForwardRef):
        return _Word(annotation.__forward_arg__)
    return _Word(annotation) if isinstance(annotation, str) else annotation


def signature(thing: Any) -> str:
    """Return the parameters of a function or class as they stand in its source."""
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return ""
    parts = [part.replace(annotation=_shown(part.annotation)) for part in found.parameters.values()]
    text = str(found.replace(parameters=parts, return_annotation=_shown(found.return_annotation)))
    return re.sub(r"<(?:\w+ )?(\w+)[^<>]* at 0x[0-9a-f]+>", r"<\1>", text)


def _methods(cls: type) -> Iterator[str]:
    for name, part in vars(cls).items():
        if not name.startswith("_") and inspect.isfunction(part):
            awaited = "async " if inspect.iscoroutinefunction(part) else ""
            yield f"- `{awaited}{name}{signature(part)}`: {_summary(part)}"


def _entry(module: str, name: str) -> list[str]:
    thing = getattr(importlib.import_module(module), name)
    if not callable(thing) or not (inspect.isclass(thing) or inspect.isroutine(thing)):
        return [f"### `{name}`", "", "A value or a type.", ""]
    is_class = inspect.isclass(thing)
    is_port = is_class and getattr(thing, "_is_protocol", False)
    word = "class " if is_class else "async def " if inspect.iscoroutinefunction(thing) else "def "
    shown = "(Protocol)" if is_port else signature(thing)
    lines = [f"### `{name}`", "", "```text", f"{word}{name}{shown}", "```", ""]
    lines += [_plain(inspect.getdoc(thing) or ""), ""]
    methods = list(_methods(thing)) if isinstance(thing, type) else []
    return [*lines, *methods, ""] if methods else lines


def _plain(text: str) -> str:
    """Return a docstring as Markdown: its sections (`Raises:`) as blocks, so that indents survive."""
    summary, _, rest = text.partition("\n\n")
    return f"{summary}\n\n```text\n{rest.rstrip()}\n```" if rest else summary


def python_page() -> str:
    """Return the page of the Python API: every public name with its signature and docstring."""
    lines = ["# Python API", ""]
    lines += [
        "The names that a program may build on. [Errors](error-classes.md) have a page of their own.",
        "",
    ]
    for module in public_names.present():
        found = public_names.names(module)
        if module == "maestri.errors" or not found:
            continue
        lines += [f"## `{module}`", ""]
        for name in found:
            lines += _entry(module, name)
    return "\n".join(lines).rstrip() + "\n"


def pages() -> dict[Path, str]:
    """Return the text of each page that is derived."""
    found = {
        "states.md": states_page(),
        "events.md": events_page(),
        "error-classes.md": error_classes_page(),
        "python.md": python_page(),
        "language.md": language_page.page(),
    }
    found |= dict(pattern_pages.pages())
    # A picture is nothing but the picture.
    return {
        FOLDER / name: f"{HEAD}\n{text}" if name.endswith(".md") else text for name, text in found.items()
    }


def stale(wanted: dict[Path, str]) -> list[Finding]:
    """Return the pages that are missing or differ from what the source says."""
    found = []
    for file, text in wanted.items():
        written = file.read_text(encoding="utf-8") if file.exists() else ""
        if written == text:
            continue
        old, new = written.splitlines(), text.splitlines()
        same = next(
            (n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
        )
        found.append(Finding(file, same + 1, "the page is stale: run `make docs`"))
    return found


def main() -> int:
    """Check the pages, or write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--check", action="store_true", help="fail when a page is stale (default)")
    choice.add_argument("--write", action="store_true", help="write the pages")
    wanted = pages()
    if parser.parse_args().write:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for file, text in wanted.items():
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return 0
    return conclude(stale(wanted), f"reference: {len(wanted)} pages, none stale")


if __name__ == "__main__":
    sys.exit(main())
