"""A definition that can be run, whichever form it was written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from maestri.records import NamedTuple

if TYPE_CHECKING:
    from maestri.errors import Diagnostic
    from maestri.kernel.runner import Definition
    from maestri.lang.inputs import InputDef
    from maestri.lang.model import WorkflowDef


class Loaded(NamedTuple):
    """A checked definition. `model` is the YAML model, None for Python; `file` is where it was read from.

    `warnings` are what was said about a file of another system.
    """

    name: str
    definition: Definition
    inputs: Mapping[str, InputDef]
    model: WorkflowDef | None
    file: str
    warnings: Sequence[Diagnostic] = ()


class CommandLine(str):
    """A text that was typed as `-i name=text` and is still to be read as its input's type."""

    __slots__ = ()
