"""Python types on top of JSON."""

import dataclasses
import enum
from typing import Any, NamedTuple

import pytest

from maestri.errors import OutputInvalid
from maestri.kernel import codec
from maestri.kernel.typed import build, needs_building, return_type, settle, to_plain


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


class Note(NamedTuple):
    text: str
    level: Level = Level.LOW


@dataclasses.dataclass
class Report:
    notes: list[Note]
    by: dict[str, Note] | None = None
    score: float = 0.0


class Model:
    """What a pydantic model looks like from here."""

    def __init__(self, value: int) -> None:
        self.value = value

    def model_dump(self, mode: str) -> dict[str, Any]:
        return {"value": self.value, "mode": mode}

    @classmethod
    def model_validate(cls, data: dict[str, Any]) -> "Model":
        return cls(int(data["value"]))


@pytest.mark.parametrize(
    "value",
    [
        Note("x", Level.HIGH),
        Report([Note("a"), Note("b", Level.HIGH)], {"k": Note("c")}, 1.5),
        Report([]),
        Report([Note("a")], None, 3),
    ],
)
def test_a_value_comes_back_from_its_plain_form(value: Any) -> None:
    assert build(type(value), to_plain(value)) == value


def test_a_model_is_dumped_and_validated_by_its_own_methods() -> None:
    plain = to_plain(Model(3))
    assert plain == {"value": 3, "mode": "json"}
    assert build(Model, plain).value == 3


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        (int, True),
        (int, "1"),
        (str, 1),
        (bool, 1),
        (list[int], {"a": 1}),
        (dict[str, int], [1]),
        (int | str, []),
        (Level, 3),
        (Report, {"notes": [{"text": 1}]}),
        (Report, {}),
        (Note, {"text": "x", "more": 1}),
        (float, "1.0"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_name_of_the_type(wanted: Any, value: Any) -> None:
    with pytest.raises(OutputInvalid) as caught:
        build(wanted, value)
    assert getattr(wanted, "__name__", str(wanted)) in caught.value.message


@pytest.mark.parametrize("wanted", [Any, object, None, "Forward"])
def test_an_unknown_type_gives_the_json_as_it_is(wanted: Any) -> None:
    assert build(wanted, {"a": [1]}) == {"a": [1]}


def test_a_number_without_fraction_fits_a_float() -> None:
    assert build(float, 3) == 3


@pytest.mark.parametrize(
    ("wanted", "needs"), [(int, False), (dict, False), (list, False), (Note, True), (list[int], True)]
)
def test_which_types_differ_from_their_json_form(wanted: Any, needs: bool) -> None:
    assert needs_building(wanted) == needs


def test_the_return_type_of_a_body_is_found_where_its_values_are_built() -> None:
    async def typed() -> Note:
        return Note("x")

    async def plain() -> dict[str, Any]:
        return {}

    assert (return_type(typed), return_type(lambda: 1)) == (Note, None)
    assert build(return_type(plain), {"a": 1}) == {"a": 1}


@pytest.mark.parametrize("value", [1, "a", {"a": 1}, {"a": [1, {"b": None}]}, [{"a": 0.5}], {1: 2}, (1, "a")])
def test_what_is_settled_is_what_its_text_decodes_to(value: Any) -> None:
    text, seen = settle(value)
    assert codec.decode(text) == seen
    assert seen is not value or isinstance(value, int | str)


def test_nothing_of_a_settled_value_is_shared_with_the_original() -> None:
    inner: dict[str, Any] = {"n": [1]}
    _, seen = settle({"inner": inner})
    inner["n"].append(2)
    assert seen == {"inner": {"n": [1]}}
