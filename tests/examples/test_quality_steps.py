"""The line of pytest that the quality report quotes."""

import importlib.util
from typing import Any

import pytest

from sources import ROOT


def quality_steps() -> Any:
    spec = importlib.util.spec_from_file_location("quality_steps", ROOT / "examples" / "quality_steps.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("....  [100%]\n4 passed in 0.12s\n", "4 passed in 0.12s"),
        ("==== 1 failed, 3 passed in 0.2s ====\n", "1 failed, 3 passed in 0.2s"),
        ("==== 2 passed in 0.2s ====\n[gw0] bye\n", "2 passed in 0.2s"),
        ("==== no tests ran in 0.01s ====", "no tests ran in 0.01s"),
        ("", "it said nothing"),
    ],
)
def test_the_line_that_counts_the_tests_is_quoted(said: str, line: str) -> None:
    assert quality_steps()._summary(said) == line
