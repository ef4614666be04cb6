"""What an edit has changed, in words."""

from typing import Any

import pytest

from maestri.lang.changes import changes
from maestri.project import Project

HEAD = "workflow: w\nsteps:\n"


@pytest.fixture
def library() -> Any:
    return Project(state="/nowhere").library()


def steps(**commands: str) -> str:
    return HEAD + "".join(f"  {name}: {{run: echo {word}}}\n" for name, word in commands.items())


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (steps(a="1"), steps(a="2"), "the step `/a` is another one now"),
        (steps(a="1", b="1"), steps(a="2", b="2"), "`/a`, `/b` are other ones now"),
        (
            steps(a="1", b="1"),
            steps(a="2", c="1"),
            "the step `/a` is another one now; the step `/b` is gone; the step `/c` is new",
        ),
        (
            steps(a="1"),
            steps(a="1") + "output: x\n",
            "its steps are the same; something around them has changed",
        ),
        (
            steps(a="1"),
            steps(**dict.fromkeys("abcdefgh", "2")),
            "the step `/a` is another one now; `/b`, `/c`, `/d`, `/e` are new; and 3 more",
        ),
    ],
)
def test_every_changed_step_is_named_up_to_five(library: Any, before: str, now: str, words: str) -> None:
    assert changes(library, "w.yaml", before, now) == words


def test_of_a_pattern_that_is_gone_only_the_pattern_is_named(library: Any) -> None:
    both = HEAD + "  a: {run: echo 1}\n  p: {parallel: {branches: {x: {run: echo x}, y: {run: echo y}}}}\n"
    assert changes(library, "w.yaml", both, steps(a="1")) == "the step `/p` is gone"
