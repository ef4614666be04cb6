"""Finds a workflow that is a Python function, by file, by module, or as the object itself."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from maestri.errors import DefinitionError, Diagnostic, Span, UsageError, WorkflowMissing
from maestri.kernel.context import Context
from maestri.kernel.runner import Definition
from maestri.lang.inputs import InputDef
from maestri.lang.source import suggest
from maestri.patterns.workflow import MARK, adapted
from maestri.project.loaded import Loaded
from maestri.project.places import shown
from maestri.values import Json

_TYPES = {
    str: "text", int: "integer", float: "number", bool: "boolean", list: "list", dict: "mapping",
    "str": "text", "int": "integer", "float": "number", "bool": "boolean", "list": "list", "dict": "mapping",
}  # fmt: skip


def load(target: str) -> Loaded:
    """Return the workflow at `file.py`, `file.py:function` or `module:function`.

    Raises:
        DefinitionError: The module cannot be imported, or has no such workflow.
        WorkflowMissing: There is no such file or module.
    """
    place, _, name = target.partition(":")
    module = _from_file(place) if place.endswith(".py") else _from_name(place, target)
    return loaded(_function(module, name, target))


def loaded(function: Callable[..., Awaitable[Any]]) -> Loaded:
    """Return a workflow function as a definition.

    Raises:
        UsageError: It is no async function, or takes no context.
    """
    refuse_other(function)
    meta = getattr(function, MARK, None)
    name = meta.name if meta is not None else function.__name__.replace("_", "-")
    module = function.__module__
    # Ours is found again by its module, wherever it is installed by then.
    is_ours = module.partition(".")[0] == __name__.partition(".")[0]
    file = "" if is_ours else inspect.getsourcefile(inspect.unwrap(function)) or ""
    record: dict[str, Json] = {
        "kind": "python",
        "function": f"{module}:{function.__qualname__}",
        "file": file,
    }
    definition = Definition(
        name,
        _body(function),
        record,
        version=meta.version if meta is not None else "",
        timeout_s=meta.timeout_s if meta is not None else None,
        keeps_frames=True,
    )
    return Loaded(name, definition, _inputs(function), None, file)


def refuse_other(function: Any) -> None:
    """Refuse what cannot be a workflow.

    Raises:
        UsageError: It is no async function, or takes no context.
    """
    name = getattr(function, "__qualname__", None)
    is_async: bool = inspect.iscoroutinefunction(function)  # a bool, not a guard that narrows the type
    if name is None or not is_async or not _signature(function).parameters:
        message = f"`{name or repr(function)[:80]}` is no `async def` with a context as its first parameter"
        raise UsageError(message, fix="write `async def f(ctx: maestri.Context, ...)`")


@lru_cache(maxsize=64)
def _signature(function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(function)  # looked at twice at every start


def _body(function: Callable[..., Awaitable[Any]]) -> Callable[[Context, Mapping[str, Json]], Awaitable[Any]]:
    body = adapted(function)

    def run(ctx: Context, inputs: Mapping[str, Json]) -> Awaitable[Any]:
        return body(ctx, inputs)

    run.__wrapped__ = function  # type: ignore[attr-defined]  # its output is of the function's type
    return run


def _inputs(function: Callable[..., Any]) -> dict[str, InputDef]:
    """Return the parameters after the context as inputs."""
    found = {}
    for parameter in list(_signature(function).parameters.values())[1:]:
        if parameter.kind in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}:
            continue
        required = parameter.default is parameter.empty
        default = None if required else parameter.default
        kind = _TYPES.get(parameter.annotation, "any")
        found[parameter.name] = InputDef(parameter.name, kind, required, default)
    return found


def _from_file(place: str) -> ModuleType:
    path = Path(place).absolute()
    if not path.is_file():
        message = f"there is no file `{place}`"
        raise WorkflowMissing(message, fix="give the path of a workflow, from this folder", file=place)
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    known = sys.modules.get(path.stem)
    if known is not None and getattr(known, "__file__", None) == str(path):
        return known
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        message = f"`{place}` is not a Python file"
        raise WorkflowMissing(message, fix="give a `.py` or a `.yaml` file", file=place)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[path.stem]
        raise DefinitionError([_import_problem(error, place)]) from error
    return module


def _from_name(place: str, target: str) -> ModuleType:
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        message = f"there is no workflow `{target}`"
        fix = "give a `.yaml` or `.py` file, or `module:function`"
        raise WorkflowMissing(message, fix=fix, cause=str(error)) from error
    except (Exception, SystemExit) as error:
        raise DefinitionError([_import_problem(error, place)]) from error


def _import_problem(error: BaseException, place: str) -> Diagnostic:
    """Return where in the user's file an import went wrong."""
    message = f"the file cannot be imported: {type(error).__name__}: {error}"
    cause = "a workflow in Python is found by importing its file, and this came out of it"
    fix = "mend the file; `python FILE` shows the same error"
    found = Diagnostic("L130", message, cause=cause, fix=fix, file=place)
    if isinstance(error, SyntaxError) and error.lineno:
        col = error.offset or 1
        span = Span(error.lineno, col, error.lineno, (error.end_offset or col) + 1)
        elsewhere = error.filename and Path(error.filename).name != Path(place).name
        file, text = shown(error.filename or "") if elsewhere else place, (error.text or "").rstrip("\n")
        return found._replace(cause="Python itself cannot read it", file=file, span=span, snippet=text)
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).name == Path(place).name
    ]
    if not frames:
        return found
    line, text = frames[-1].lineno or 1, frames[-1].line or ""
    return found._replace(span=Span(line, 1, line, len(text) + 1), snippet=text)


def _function(module: ModuleType, name: str, target: str) -> Callable[..., Awaitable[Any]]:
    """Return the workflow of a module: the one that is named, or the only one there is.

    Raises:
        DefinitionError: There is none, or several.
    """
    found = {
        key: value
        for key, value in vars(module).items()
        if hasattr(value, MARK) and getattr(value, "__module__", None) == module.__name__
    }
    file = shown(getattr(module, "__file__", None) or target)
    if name:
        function = getattr(module, name, None)
        if inspect.iscoroutinefunction(function):
            return function
        # What was made of a function of that name: it goes by the name of the function.
        made = next((one for one in found.values() if one.__qualname__ == name), None)
        if made is not None:
            return made  # type: ignore[no-any-return]
        fix = suggest(name, list(found)) or "write an `async def` with `@maestri.workflow` above it"
        message = f"`{name}` is no workflow function"
        cause = "it has nothing of that name"
        if hasattr(module, name):
            cause = "a workflow is an `async def`"
        raise DefinitionError([Diagnostic("L131", message, cause=cause, fix=fix, file=file)])
    if len(found) == 1:
        return next(iter(found.values()))  # type: ignore[no-any-return]
    listed = ", ".join(f"`{target}:{key}`" for key in found)
    message = f"the file has {len(found)} workflows" if found else "the file has no workflow"
    fix = f"name one of them: {listed}" if found else "put `@maestri.workflow` above an `async def f(ctx)`"
    cause = "a workflow is a function with `@maestri.workflow` above it"
    if found:
        cause = "a file alone names the one workflow in it, and here it could be any of them"
    raise DefinitionError([Diagnostic("L131", message, cause=cause, fix=fix, file=file)])
