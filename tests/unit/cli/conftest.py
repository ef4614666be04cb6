"""A terminal in memory."""

import io
from collections.abc import Callable

import pytest

from maestri.cli.terminal import Terminal


class Stream(io.StringIO):
    """A stream that may be a terminal."""

    def __init__(self, encoding: str, *, is_terminal: bool) -> None:
        super().__init__()
        self._encoding = encoding
        self._is_terminal = is_terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return self._is_terminal


Made = tuple[Terminal, Stream, Stream]


@pytest.fixture
def terminal() -> Callable[..., Made]:
    """Return a function that makes a terminal with its two streams."""

    def made(*, is_terminal: bool = False, encoding: str = "utf-8", **environ: str) -> Made:
        out, err = (Stream(encoding, is_terminal=is_terminal) for _ in range(2))
        return Terminal(out, err, {"COLUMNS": "80", "LINES": "24", **environ}), out, err

    return made
