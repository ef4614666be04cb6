"""A bug that is planted on purpose: a patch at run time, and the promise that it breaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest


class Mutant(NamedTuple):
    """One planted bug."""

    name: str
    plant: Callable[[pytest.MonkeyPatch], None]
