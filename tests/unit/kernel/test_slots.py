"""A subclass that names a slot of its parent again hides the parent's: what the parent sets is not read."""

import importlib
import pkgutil
from typing import Any

import maestri.kernel


def slotted() -> list[type[Any]]:
    names = [found.name for found in pkgutil.iter_modules(maestri.kernel.__path__, "maestri.kernel.")]
    parts = [vars(importlib.import_module(name)).values() for name in names]
    return [one for part in parts for one in part if isinstance(one, type) and "__slots__" in vars(one)]


def test_no_subclass_declares_a_slot_of_its_parent_again() -> None:
    twice = [
        (one.__name__, slot)
        for one in slotted()
        for parent in one.__mro__[1:]
        for slot in vars(parent).get("__slots__", ())
        if slot in one.__slots__
    ]
    assert twice == []


def test_there_are_subclasses_with_slots_to_look_at() -> None:
    assert {"Step", "Context"} <= {one.__name__ for one in slotted()}
