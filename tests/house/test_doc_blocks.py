"""How blocks are read from a page, and what counts as the output that it shows."""

from pathlib import Path

import pytest

import doc_blocks

PAGE = Path("page.md")


def test_blocks_have_language_words_text_and_line() -> None:
    text = (
        "# T\n\n```python run\nx = 1\n```\n\n- in a list:\n\n  ```yaml flow.yaml\n  steps:\n    a: 1\n  ```\n"
    )
    first, second = doc_blocks.blocks(PAGE, text)
    assert first == (PAGE, 4, "python", ("run",), "x = 1\n")
    assert (second.line, second.file, second.text) == (10, "flow.yaml", "steps:\n  a: 1\n")


def test_a_block_in_a_longer_fence_is_text() -> None:
    (only,) = doc_blocks.blocks(PAGE, "````md\n```yaml\nsteps:\n```\n````\n")
    assert only.language == "md"


def test_a_block_that_is_not_closed_is_refused_with_its_line() -> None:
    with pytest.raises(ValueError, match=r"page\.md:2: "):
        doc_blocks.blocks(PAGE, "\n```python\nx = 1\n")


def test_commands_have_their_output_and_may_go_on_in_the_next_line() -> None:
    block = doc_blocks.Block(PAGE, 5, "console", (), "$ a \\\n> b\nout\n$ c\n")
    assert doc_blocks.commands(block) == [(5, "a b", "out\n"), (8, "c", "")]


@pytest.mark.parametrize(
    ("shown", "real"),
    [
        ("done\n", "done\n"),
        ("run ... done in ... s\n", "run calm-otter-1 done in 1.2 s\n"),
        ("first\n...\nlast\n", "first\n2\n3\nlast\n"),
        ("first\n...\nlast\n", "first\nlast\n"),
        ("...\n", ""),
        ("a\n\nb\n", "\na  \n\nb\n\n"),
    ],
)
def test_output_as_shown(shown: str, real: str) -> None:
    assert doc_blocks.matches(shown, real)


@pytest.mark.parametrize(
    ("shown", "real"),
    [
        ("", "surprise\n"),
        ("done\n", "done\nand more\n"),
        ("a...b\n", "a\nb\n"),
        ("a.c\n", "abc\n"),
        ("...\nlast\n", "one\n"),
    ],
)
def test_output_that_differs(shown: str, real: str) -> None:
    assert not doc_blocks.matches(shown, real)
