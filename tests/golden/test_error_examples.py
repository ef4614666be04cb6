"""The examples of docs/errors.md are what is said: each `yml flow.yaml` block, and the output below it.

With `UPDATE_GOLDEN=1` in the environment the outputs are written anew; what differed fails this once.
"""

from __future__ import annotations

import os
import re
from itertools import pairwise
from pathlib import Path

import pytest

from doc_blocks import Block, blocks
from maestri.lang.definitions import Library
from maestri.project import Project
from maestri.project.foreign import Foreign
from sources import ROOT

PAGE = ROOT / "docs" / "errors.md"
PATTERNS = Project().patterns
BLOCKS = blocks(PAGE, PAGE.read_text(encoding="utf-8"))
EXAMPLES = [(one, after) for one, after in pairwise(BLOCKS) if one.language == "yml" and one.file]


@pytest.mark.parametrize(("given", "shown"), EXAMPLES, ids=lambda block: f"line {block.line}")
def test_the_page_shows_what_is_said(given: Block, shown: Block, tmp_path: Path) -> None:
    file = tmp_path / given.file
    file.write_text(given.text, encoding="utf-8")
    agents = ("builder", "reviewer")
    library = Library(PATTERNS, agents, foreign=Foreign(frozenset(agents)))
    definition, findings = library.open(str(file), given.file)
    if definition is not None:
        findings = library.check(definition)
    said = "\n\n".join(one.text() for one in findings) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(page.replace(f"```text\n{shown.text}```", f"```text\n{said}```"), encoding="utf-8")
    assert said == shown.text


def test_each_finding_on_the_page_says_why_and_what_to_do() -> None:
    shown = [text for block in BLOCKS if block.language == "text" for text in block.text.split("\n\n")]
    findings = [text for text in shown if re.search(r"(error|warning)\[(L|C01)", text)]
    assert [text for text in findings if "\n  cause: " not in text or "\n  fix: " not in text] == []
    assert len(findings) > 50


def test_most_codes_of_the_language_are_shown_by_example() -> None:
    assert len(EXAMPLES) > 40
