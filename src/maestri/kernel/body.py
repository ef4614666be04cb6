"""What patterns compose: a body, or the one step that stands for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeAlias, TypeVar

from maestri.records import NamedTuple

T = TypeVar("T")


class OneStep(NamedTuple, Generic[T]):
    """A body that is exactly one step and takes the place of its scope.

    As a branch `lint` of `/checks` it is the step `/checks/lint` itself, with no scope around it.
    """

    call: Callable[[Any], Awaitable[T]]  # of a `Context`, which is defined above this module


Body: TypeAlias = Callable[[Any], Awaitable[T]] | OneStep[T]


class Opening(NamedTuple):
    """What a caller says of the scope that a pattern will open: where it is written, how long it may take."""

    source: str = ""
    timeout_s: float | None = None
