"""Where the inputs of a workflow are declared, for messages about what was given for them."""

from __future__ import annotations

import ast
import inspect
import os
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from maestri.errors import Span
from maestri.lang.inputs import Declared
from maestri.lang.source import Source
from maestri.project.loaded import Loaded


def declared(loaded: Loaded) -> Declared:
    """Return where the inputs of a definition are declared."""
    if loaded.model is None:
        return _in_python(inspect.unwrap(loaded.definition.body), shown(loaded.file))
    each = {name: one.span for name, one in loaded.model.inputs.items() if one.span is not None}
    return Declared(loaded.model.source, loaded.model.inputs_span or Span(1, 1, 1, 1), each)


def shown(file: str) -> str:
    """Return a file as a user would name it: from this folder where it is in it."""
    near = os.path.relpath(file) if file and Path(file).is_absolute() else file
    return file if near.startswith(os.pardir) else near


def _in_python(function: Callable[..., Any], file: str) -> Declared:
    """Return the places of a function's name and of its parameters, as far as its source can be had."""
    nowhere = Declared(Source(file or function.__qualname__, ""), Span(1, 1, 1, 1), {})
    try:
        lines, first = inspect.getsourcelines(function)
        text = Path(inspect.getsourcefile(function) or file).read_text(encoding="utf-8")
        tree = ast.parse(textwrap.dedent("".join(lines))).body[0]
    except (OSError, TypeError, ValueError, SyntaxError):
        return nowhere
    if not isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef):
        return nowhere
    source = Source(nowhere.source.name, text)
    indent = len(lines[0]) - len(lines[0].lstrip())
    parameters = [*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs]

    def span(part: ast.stmt | ast.arg, word: str) -> Span:
        return _span(source, first + part.lineno - 1, part.col_offset + indent, word)

    return Declared(source, span(tree, tree.name), {one.arg: span(one, one.arg) for one in parameters})


def _span(source: Source, line: int, from_byte: int, word: str) -> Span:
    """Return the place of a word in a line; Python counts columns in bytes."""
    text = source.line(line)
    start = len(text.encode()[:from_byte].decode(errors="ignore"))
    at = max(text.find(word, start), 0) + 1
    return Span(line, at, line, at + len(word))
