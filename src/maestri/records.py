"""`NamedTuple` of `typing`, made at a fraction of the cost: what all records are made of.

`typing.NamedTuple` compiles a function, and the text of every annotation, for each class that is defined.
One run defines more than a hundred, and that was a tenth of the time from a command to its first step.
Here nothing is compiled: what makes an instance is there already, and gets the names of the fields.

Rule 1: type checkers see `typing.NamedTuple`, and a class is what that would have made: fields, defaults,
`_make`, `_replace`, `_asdict`, equality, matching, pickling.
Rule 2: annotations stay the texts that they are; `typing.get_type_hints` reads them.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable
from types import FunctionType
from typing import TYPE_CHECKING, Any, Generic

__all__ = ["NamedTuple"]

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    _new = tuple.__new__
    _Field = type(namedtuple("_One", "field").field)  # noqa: PYI024 - the type of a field, in C

    # What makes an instance, by the number of fields; the names of the parameters are put in later.
    _MAKERS = (
        lambda _cls: _new(_cls, ()),
        lambda _cls, a: _new(_cls, (a,)),
        lambda _cls, a, b: _new(_cls, (a, b)),
        lambda _cls, a, b, c: _new(_cls, (a, b, c)),
        lambda _cls, a, b, c, d: _new(_cls, (a, b, c, d)),
        lambda _cls, a, b, c, d, e: _new(_cls, (a, b, c, d, e)),
        lambda _cls, a, b, c, d, e, f: _new(_cls, (a, b, c, d, e, f)),
        lambda _cls, a, b, c, d, e, f, g: _new(_cls, (a, b, c, d, e, f, g)),
        lambda _cls, a, b, c, d, e, f, g, h: _new(_cls, (a, b, c, d, e, f, g, h)),
        lambda _cls, a, b, c, d, e, f, g, h, i: _new(_cls, (a, b, c, d, e, f, g, h, i)),
        lambda _cls, a, b, c, d, e, f, g, h, i, j: _new(_cls, (a, b, c, d, e, f, g, h, i, j)),
        lambda _cls, a, b, c, d, e, f, g, h, i, j, k: _new(_cls, (a, b, c, d, e, f, g, h, i, j, k)),
        lambda _cls, a, b, c, d, e, f, g, h, i, j, k, m: _new(_cls, (a, b, c, d, e, f, g, h, i, j, k, m)),
        lambda _cls, a, b, c, d, e, f, g, h, i, j, k, m, n: _new(
            _cls, (a, b, c, d, e, f, g, h, i, j, k, m, n)
        ),
    )

    class _Record(tuple):
        """What all records can do."""

        __slots__ = ()

        @classmethod
        def _make(cls, values: Iterable[Any]) -> _Record:
            """Return a record of some values, in the order of its fields."""
            made = _new(cls, values)
            if len(made) != len(cls._fields):
                message = f"Expected {len(cls._fields)} arguments, got {len(made)}"
                raise TypeError(message)
            return made

        def _replace(self, /, **values: Any) -> _Record:
            """Return a record with other values in some fields."""
            made = self._make(map(values.pop, self._fields, self))
            if values:
                message = f"Got unexpected field names: {list(values)!r}"
                raise ValueError(message)
            return made

        def _asdict(self) -> dict[str, Any]:
            """Return the values by field."""
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self) -> str:
            values = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
            return f"{type(self).__name__}({values})"

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

    class _Making(type):
        """Makes a record of the body of a class."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            """Return the class; it is no instance of this one, so that nothing of it is left.

            Raises:
                TypeError: It has a base of another kind, or a field without a default after one that has one.
                ValueError: A field begins with an underscore.
            """
            if set(bases) - {NamedTuple, Generic}:
                message = "a record has no bases but NamedTuple and Generic"
                raise TypeError(message)
            annotations = body.get("__annotations__", {})
            fields = tuple(annotations)
            defaults = {field: body[field] for field in fields if field in body}
            _refuse_wrong(name, fields, tuple(defaults))
            members = {
                **body,
                "__slots__": (),
                "__match_args__": fields,
                "__new__": _maker(name, fields, tuple(defaults.values()), annotations),
                "_fields": fields,
                "_field_defaults": defaults,
                **{field: _Field(at, f"Field number {at}") for at, field in enumerate(fields)},
            }
            return type(name, (_Record, *bases[1:]), members)

    NamedTuple = type.__new__(_Making, "NamedTuple", (), {})

    def _refuse_wrong(name: str, fields: tuple[str, ...], with_default: tuple[str, ...]) -> None:
        private = [field for field in fields if field.startswith("_")]
        if private:
            message = f"fields of {name} cannot start with an underscore: {private}"
            raise ValueError(message)
        if with_default != fields[len(fields) - len(with_default) :]:
            message = f"a field of {name} without a default follows one that has one"
            raise TypeError(message)

    def _maker(
        name: str, fields: tuple[str, ...], defaults: tuple[Any, ...], annotations: dict[str, Any]
    ) -> Any:
        """Return the `__new__` of a record, with the names of its fields as parameters."""
        if len(fields) < len(_MAKERS):
            code = _MAKERS[len(fields)].__code__.replace(
                co_varnames=("_cls", *fields), co_name="__new__", co_qualname=f"{name}.__new__"
            )
            made = FunctionType(code, globals(), "__new__", defaults)
        else:
            made = namedtuple(name, fields, defaults=defaults).__new__  # noqa: PYI024 - for its maker only
        made.__annotations__ = annotations
        return made
