"""Records: what `typing.NamedTuple` makes, but for the time that it takes."""

from __future__ import annotations

import copy
import inspect
import pickle
import typing
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import pytest

from maestri import records
from maestri.records import NamedTuple

T = TypeVar("T")
MAKING: Any = type(NamedTuple)  # what the statement `class` calls


class Point(NamedTuple):
    """A point."""

    x: int
    y: int = 2
    name: str | None = None

    @property
    def total(self) -> int:
        return self.x + self.y

    @classmethod
    def origin(cls) -> Point:
        return cls(0, 0)


class Twin(typing.NamedTuple):
    """A point."""

    x: int
    y: int = 2
    name: str | None = None


class Boxed(NamedTuple, Generic[T]):
    """A record with a parameter."""

    value: T


def test_a_record_is_a_tuple_with_names_defaults_and_methods() -> None:
    point = Point(1, name="a")
    assert (point.x, point.y, point.name, point.total) == (1, 2, "a", 3)
    assert point == (1, 2, "a")
    assert Point.origin() == (0, 0, None)


@pytest.mark.parametrize("name", ["__match_args__", "__doc__", "_field_defaults", "_fields", "__slots__"])
def test_a_record_says_of_itself_what_the_one_of_typing_says(name: str) -> None:
    assert getattr(Point, name) == getattr(Twin, name)


@pytest.mark.parametrize(
    "ask",
    [
        lambda cls: [(one.name, one.default) for one in inspect.signature(cls).parameters.values()],
        typing.get_type_hints,
        lambda cls: repr(cls(1)).removeprefix(cls.__name__),
        lambda cls: cls(1)._asdict(),
        lambda cls: tuple(cls(1)._replace(y=9, name="b")),
        lambda cls: tuple(cls._make([4, 5, None])),
        lambda cls: cls.y.__get__(cls(1)),
        lambda cls: hash(cls(1)),
    ],
)
def test_a_record_answers_as_the_one_of_typing(ask: Callable[[Any], Any]) -> None:
    assert ask(Point) == ask(Twin)


@pytest.mark.parametrize(
    ("use", "error"),
    [
        (lambda cls: cls(), TypeError),
        (lambda cls: cls(1, 2, None, 4), TypeError),
        (lambda cls: cls(1, z=2), TypeError),
        (lambda cls: cls._make([1]), TypeError),
        (lambda cls: cls(1)._replace(z=2), ValueError),
        (lambda cls: setattr(cls(1), "x", 2), AttributeError),
        (lambda cls: setattr(cls(1), "z", 2), AttributeError),
    ],
)
def test_what_typing_refuses_is_refused(use: Callable[[Any], Any], error: type[Exception]) -> None:
    for cls in (Point, Twin):
        with pytest.raises(error):
            use(cls)


def test_a_record_survives_a_copy_and_a_pickle_as_itself() -> None:
    for other in (copy.deepcopy(Point(1)), pickle.loads(pickle.dumps(Point(1)))):
        assert (type(other), other) == (Point, Point(1))


def test_a_record_may_have_a_parameter() -> None:
    assert Boxed[int](3).value == 3


def test_a_record_may_have_more_fields_than_there_are_makers() -> None:
    fields = {f"f{number}": "int" for number in range(40)}
    made = MAKING("Wide", (NamedTuple,), {"__annotations__": fields, "f39": 39})
    assert made(*range(39)) == tuple(range(40))
    assert made(*range(39))._replace(f0=7).f0 == 7


@pytest.mark.parametrize(
    ("bases", "body", "error"),
    [
        ((NamedTuple,), {"__annotations__": {"_x": "int"}}, ValueError),
        ((NamedTuple,), {"__annotations__": {"x": "int", "y": "int"}, "x": 1}, TypeError),
        ((NamedTuple, Point), {"__annotations__": {"z": "int"}}, TypeError),
    ],
)
def test_a_record_that_cannot_be_is_refused(bases: Any, body: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        MAKING("Wrong", bases, body)


def test_nothing_is_compiled_for_a_record() -> None:
    assert Point.__new__.__code__.co_filename == records.__file__
