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
            "its steps are the same; `output` is not",
        ),
        (
            steps(a="1"),
            "version: 2.0.0\ninputs: {i: {type: text}}\n" + steps(a="1"),
            "its steps are the same; `inputs`, `version` are not",
        ),
        (
            steps(a="1"),
            "# more to read\n" + steps(a="1"),
            "its steps are the same; comments, descriptions or the layout have changed",
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


INSIDE = """\
  p: {parallel: {branches: {x: {steps: {a: {run: echo 1}}}, y: {run: echo 2}}}}
  l: {loop: {max_rounds: 2, steps: {t: {run: echo 3}}}}
  e: {each: {items: [1], steps: {i: {run: echo 4}}, reduce: {steps: {sum: {run: echo 5}}, output: 6}}}
"""


@pytest.mark.parametrize(
    ("number", "place"),
    [("1", "/p/x/a"), ("2", "/p/y"), ("3", "/l/t"), ("4", "/e/i"), ("5", "/e/reduce/sum")],
)
def test_a_step_inside_of_another_has_the_place_that_runs_give_it(
    library: Any, number: str, place: str
) -> None:
    edited = INSIDE.replace(f"echo {number}", "true")
    words = changes(library, "w.yaml", HEAD + INSIDE, HEAD + edited)
    assert words == f"the step `{place}` is another one now"


def test_an_output_inside_of_a_step_is_part_of_it(library: Any) -> None:
    edited = INSIDE.replace("output: 6", "output: 7")
    assert changes(library, "w.yaml", HEAD + INSIDE, HEAD + edited) == "the step `/e` is another one now"
