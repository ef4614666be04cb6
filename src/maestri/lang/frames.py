"""What expressions see while a workflow runs: the innermost name wins, outer names stay visible."""

from __future__ import annotations

from typing import Any

from maestri.errors import InputInvalid
from maestri.lang.expressions.evaluate import evaluate
from maestri.lang.expressions.operations import as_json, as_text
from maestri.lang.expressions.template import render
from maestri.lang.expressions.tokens import BadExpression
from maestri.lang.model import Dynamic, Fixed, Listing, Record, Templated
from maestri.lang.source import Source
from maestri.lang.tree import Scalar, position_in
from maestri.patterns._registry import Option
from maestri.values import Json, plain_type


class Frame:
    """The names of one scope, over those of the scope around it.

    `folder` is the copy of a directory that is worked on here, if a pattern has made one. `done` are the
    paths of steps that have ended before what is done here, and whose results it builds on. `sandbox` is what
    its commands are held in, as it was written.
    """

    __slots__ = ("_outer", "done", "folder", "names", "sandbox")

    def __init__(self, names: dict[str, Any], outer: Frame | None = None, folder: str | None = None) -> None:
        """Begin with some names."""
        self.names = names
        self._outer = outer
        self.done: tuple[str, ...] = ()
        self.sandbox: Json = None if outer is None else outer.sandbox
        self.folder: str | None = folder or (None if outer is None else outer.folder)

    def inside(self, sandbox: Json) -> Frame:
        """Return a frame with the same names, in which commands are held in a sandbox."""
        inner = Frame({}, self)
        inner.sandbox = sandbox
        return inner

    def held(self, request: dict[str, Any], own: Json = None) -> dict[str, Any]:
        """Return a request with the sandbox that stands around it, or else its agent's `own`."""
        sandbox = own if self.sandbox is None else self.sandbox
        if sandbox is None or sandbox == "none":
            return request
        return {**request, "sandbox": sandbox, **({} if self.folder is None else {"folder": self.folder})}

    def builds_on(self) -> list[str]:
        """Return the paths of all steps that what is done here builds on, the outer ones first."""
        outer = [] if self._outer is None else self._outer.builds_on()
        return [*outer, *self.done]

    def __call__(self, name: str) -> Any:
        """Return the value of a name.

        Raises:
            KeyError: No scope around here has it.
        """
        frame: Frame | None = self
        while frame is not None:
            if name in frame.names:
                return frame.names[name]
            frame = frame._outer  # noqa: SLF001  - of the same class
        raise KeyError(name)


def value(dynamic: Dynamic, frame: Frame, source: Source) -> Json:
    """Return what a value is in a frame.

    Raises:
        InputInvalid: An expression has no value; says where it is written.
    """
    if isinstance(dynamic, Fixed):
        return dynamic.value
    if isinstance(dynamic, Listing):
        return [value(item, frame, source) for item in dynamic.items]
    if isinstance(dynamic, Record):
        return {key: value(item, frame, source) for key, item in dynamic.entries}
    try:
        if dynamic.template.is_single:
            return evaluate(dynamic.template.parts[0].expr, frame)
        return render(dynamic.template, frame)
    except BadExpression as error:
        raise at_place(dynamic.scalar, source, error) from None


def at_place(scalar: Scalar, source: Source, error: BadExpression) -> InputInvalid:
    """Return the error of an expression as the failure of a step, with the place where it is written."""
    line, col = position_in(scalar, source, error.start)
    place = f"{source.name}:{line}:{col}"
    part = scalar.text[error.start : error.end].strip()
    cause = f"in `{part[:80]}` at {place}" + (f"; {error.cause}" if error.cause else "")
    return InputInvalid(error.message, cause=cause, fix=error.fix, detail={"at": place})


def text(dynamic: Dynamic, frame: Frame, source: Source) -> str:
    """Return a value as text: a text as it is, everything else as JSON; null is refused.

    Raises:
        InputInvalid: It has no value, or is null.
    """
    found = value(dynamic, frame, source)
    if isinstance(found, str):
        return found
    if found is None:
        place = f"{source.name}:{dynamic.span.line}:{dynamic.span.col}"
        message = "null cannot be handed on as a text"
        raise InputInvalid(message, cause=f"at {place}", fix='use `default(x, "")`', detail={"at": place})
    return as_text(found) if isinstance(found, int | float | bool) else as_json(found)


def truth(dynamic: Templated | Fixed, frame: Frame, source: Source) -> bool:
    """Return whether a condition holds.

    Raises:
        InputInvalid: It has no value, or one that is neither true nor false.
    """
    found = value(dynamic, frame, source)
    if isinstance(found, bool):
        return found
    place = f"{source.name}:{dynamic.span.line}:{dynamic.span.col}"
    message = f"the condition is a {plain_type(found)}, neither true nor false"
    fix = "compare it with something: `${len(x) > 0}`, `${x != null}`"
    raise InputInvalid(message, cause=f"at {place}", fix=fix, detail={"at": place})


def sandbox_for(target: object, frame: Frame) -> Json:
    """Return the sandbox that the commands of a called workflow are held in.

    Raises:
        InputInvalid: It is a workflow in Python, whose steps say themselves what holds them.
    """
    if hasattr(target, "isolates") or frame.sandbox == "none":
        return frame.sandbox
    message = "a workflow in Python cannot be put into a sandbox from outside"
    raise InputInvalid(message, fix="give its own steps `sandbox=`, and take it out here")


def check_scalar(source: Source, option: Option, found: Json, given: Dynamic) -> None:
    """Refuse a value that an expression gave and the option cannot take.

    Raises:
        InputInvalid: Says what it may be, and where it is written.
    """
    if isinstance(found, str) and (found in option.words or str in option.types):
        return
    if isinstance(found, bool) and bool in option.types:
        return
    if isinstance(found, int) and not isinstance(found, bool) and int in option.types:
        return
    place = f"{source.name}:{given.span.line}:{given.span.col}"
    wanted = [*option.words, *(kind.__name__ for kind in option.types)]
    message = f"`{option.name}` cannot be {found!r:.60}"
    raise InputInvalid(
        message, cause=f"at {place}", fix=f"use one of: {', '.join(wanted)}", detail={"at": place}
    )
