"""Broken files: whatever is done to a definition, loading it gives a tree or findings, soon."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from maestri.lang import load as loader
from maestri.lang.load import load
from maestri.lang.tree import Mapping, Scalar, Sequence, Tree, position_in, to_json
from maestri.values import Json
from tally import tally

SEED = int(os.environ.get("MAESTRI_FUZZ_SEED", "2026"))
INPUTS = int(os.environ.get("MAESTRI_FUZZ_FILES", "16000"))

CORPUS = [
    'workflow: w\nsteps:\n  a: {run: x, env: {V: "${i.v}"}}\n  b:\n    prompt: >-\n      ${a}\n      b\n',
    "a: &x [1, 2.5, 0x1F, true, ~]\nb: *x\n? c\n: |2+\n    text\n\n",
    "'it''s': \"a\\tb\\u00e9\\\n   c\"\nd: !!str 5\n# a comment\n",
    "a:\r\n- b: 1\r\n  c: [x, {y: z}]\r\n",
    "%YAML 1.2\n---\na: 'é😀'\n...\n",
]
PIECES = [
    "\t", "\0", "\ufeff", "[", "]", "{", "}", ": ", "- ", "? ", "&a ", "*a", "!!int ", "!<", "<<: ", "|",
    ">", "'",
    '"', "\\", "\\u", "#", "\n", "\r", "\u2028", "\x85", "---\n", "...\n", "%YAML 9.9\n", "1e999", ".nan",
    "${",
    "9" * 40, "  ", "\ud800", "é", "@", "`", ",",
]  # fmt: skip


def mutated(rng: random.Random) -> str:
    """Return a text of the corpus with a few pieces put in, taken out or repeated."""
    text = rng.choice(CORPUS)
    for _ in range(rng.randint(1, 6)):
        start = rng.randint(0, len(text))
        end = min(len(text), start + rng.choice([0, 0, 1, 3, 10]))
        put = rng.choice([*PIECES, text[start:end] * 3])
        text = text[:start] + put + text[end:]
    return text


def scalars(tree: Tree) -> Iterator[Scalar]:
    """Yield all scalars of a tree, keys too."""
    if isinstance(tree, Scalar):
        yield tree
    elif isinstance(tree, Sequence):
        for item in tree.items:
            yield from scalars(item)
    else:
        for entry in tree.entries:
            yield entry.key
            yield from scalars(entry.value)


def examine(text: str | bytes) -> bool:
    """Load a text and use all that comes back; returns whether there was a tree."""
    loaded = load(text, "f.yaml")
    for found in loaded.diagnostics:
        assert found.text().encode()
        assert found.span is None or found.span.line >= 1 <= found.span.col
    assert loaded.tree is not None or loaded.diagnostics
    if loaded.tree is None:
        return False
    to_json(loaded.tree)
    for scalar in scalars(loaded.tree):
        line, col = position_in(scalar, loaded.source, len(scalar.text) // 2)
        assert (line, col) >= scalar.span[:2]
    return True


@pytest.mark.parametrize("parser", ["CSafeLoader", "SafeLoader"])
def test_mutated_files_give_a_tree_or_findings(parser: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "_EVENTS", getattr(yaml, parser, yaml.SafeLoader))
    rng = random.Random(SEED)
    inputs = INPUTS if parser == "CSafeLoader" else INPUTS // 8
    trees = sum(examine(mutated(rng)) for _ in range(inputs))
    tally(f"files, {parser}", SEED, inputs=inputs, trees=trees, refused=inputs - trees, uncaught=0)
    assert trees  # some mutations are harmless: the corpus is not only noise


def test_mutated_bytes_give_a_tree_or_findings() -> None:
    rng = random.Random(SEED)
    for _ in range(INPUTS // 2):
        data = bytearray(rng.choice(CORPUS).encode())
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        examine(bytes(data))


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
NUMBERS = st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_json_is_yaml_and_keeps_its_value(value: Json) -> None:
    loaded = load(json.dumps({"k": value}, ensure_ascii=False), "f.yaml")
    assert loaded.tree is not None, [found.text() for found in loaded.diagnostics]
    assert to_json(loaded.tree) == {"k": value}


@settings(max_examples=300, deadline=None)
@given(st.text() | st.binary())
def test_any_text_and_any_bytes_give_a_tree_or_findings(text: str | bytes) -> None:
    examine(text)


HOSTILE = [
    "[" * 100_000, "{" * 100_000, "{a: " * 50_000, "- " * 100_000, "? " * 100_000, "a: " * 50_000,
    "&a " * 50_000,
    "!" * 200_000, "*" * 200_000, "'" * 200_000, '"' * 200_001, "a: |\n" + " " * 200_000, "\n" * 900_000,
    "#\n" * 400_000, "a: x\n" + "  x\n" * 200_000, "%" * 100_000, "a: " + "9" * 200_000, "---\n" * 100_000,
    "{" + "a," * 100_000, "a: " + "\\x" * 100_000, "? a\n" * 40_000, "<<: *a\n" * 20_000,
    "a: &a [*a]\n" * 20_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: f"{text[:8]!r} x {len(text)}")
def test_hostile_files_end(text: str) -> None:
    examine(text)
    assert isinstance(load("a: 1", "f").tree, Mapping)
