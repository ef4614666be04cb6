"""Broken expressions: whatever is done to one, there is a JSON value or a refusal at a place in it."""

from __future__ import annotations

import json
import os
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from maestri.lang.expressions.evaluate import evaluate
from maestri.lang.expressions.functions import FUNCTIONS
from maestri.lang.expressions.parse import parse
from maestri.lang.expressions.references import names
from maestri.lang.expressions.template import parse_template, render
from maestri.lang.expressions.tokens import BadExpression
from maestri.lang.expressions.types import ANY, infer
from maestri.values import Json
from tally import tally

SEED = int(os.environ.get("MAESTRI_FUZZ_SEED", "2026"))
INPUTS = int(os.environ.get("MAESTRI_FUZZ_EXPRESSIONS", "40000"))

CORPUS = [
    "len(checks.lint) < 5 AND len(checks.security.results) == 0",
    "default(land.commit, 'not landed') if exists(a) else b[-1]",
    "parallel-checks.* + [1, 2.5, 'x', null, true]",
    "not (a - 1 >= b * 2 / 3 % 4) or 'k' not in m",
    "join(split(upper(s), ' '), \"-\") + text(round(1.5, 0))",
    'failed(bad) or bad.failed.code == m["k"][s]',
    "max(1, -2, x) + min([a]) + sum(l)",
]
PIECES = [
    " ", "(", ")", "[", "]", ".", ",", "*", "-", "=", "==", "!", "<", "'", '"', "\\", "$", "{", "}",
    "and ", "not ",
    "in ", " if ", " else ", "a", "nope", "null", "bad", "0", "1e9", "9223372036854775807", "é", "\0",
    "\n", "\ud800",
    *(f"{name}(" for name in FUNCTIONS),
]  # fmt: skip
VALUES: dict[str, Json] = {
    "a": 1, "b": [1, [2], {"k": None}], "m": {"k": {"text": 1}, "in": 2}, "s": "te xt",
    "x": 1e308, "l": [2**62, 3],
    "checks": {"lint": [1], "security": {"results": []}}, "parallel-checks": {"p": True, "q": False},
    "bad": {"failed": {"code": "S101", "message": "m", "path": "/p"}}, "n": None,
}  # fmt: skip


def mutated(rng: random.Random) -> str:
    """Return an expression of the corpus with a few pieces put in, taken out or replaced."""
    text = rng.choice(CORPUS)
    for _ in range(rng.randint(1, 5)):
        start = rng.randint(0, len(text))
        end = min(len(text), start + rng.choice([0, 1, 2, 8]))
        text = text[:start] + rng.choice([*PIECES, text[start:end] * 2, rng.choice(CORPUS)]) + text[end:]
    return text


def examine(text: str) -> bool:
    """Use an expression in every way; returns whether it has a value."""
    try:
        term = parse(text)
        infer(term, lambda _: ANY)
        assert all(0 <= one.start <= one.end <= len(text) for one in names(term))
        value = evaluate(term, VALUES.__getitem__)
    except BadExpression as error:
        assert 0 <= error.start <= error.end <= len(text) + 1
        assert error.message
        return False
    json.dumps(value, allow_nan=False)
    return True


def test_mutated_expressions_have_a_value_or_a_refusal() -> None:
    rng = random.Random(SEED)
    with_value = sum(examine(mutated(rng)) for _ in range(INPUTS))
    tally("expressions", SEED, inputs=INPUTS, with_value=with_value, refused=INPUTS - with_value, uncaught=0)
    assert with_value > INPUTS // 400


def test_mutated_templates_have_a_value_or_a_refusal() -> None:
    rng = random.Random(SEED)
    for _ in range(INPUTS // 4):
        text = f"say ${{{mutated(rng)}}} and ${{{mutated(rng)}}}"
        try:
            render(parse_template(text), VALUES.__getitem__)
        except BadExpression as error:
            assert 0 <= error.start <= error.end <= len(text) + 1


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "k", "failed"]), inner, max_size=3)
    ),
    max_leaves=8,
)
TERMS = st.recursive(
    st.sampled_from(["x", "y", "x.a", "y.k", "x[0]", "y.*", "x.failed", "1", "'a'", "null", "true", "nope"]),
    lambda inner: st.one_of(
        st.tuples(
            inner, st.sampled_from(["+", "-", "*", "/", "%", "==", "<", ">=", "in", "and", "or"]), inner
        ).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(st.sampled_from([*FUNCTIONS, "not", "-"]), st.lists(inner, min_size=1, max_size=2)).map(
            lambda parts: f"({parts[0]}({', '.join(parts[1])}))"
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(TERMS, JSON, JSON)
def test_any_expression_over_any_json_gives_json_or_a_refusal(text: str, x: Json, y: Json) -> None:
    try:
        value = evaluate(parse(text), {"x": x, "y": y}.__getitem__)
    except BadExpression as error:
        assert 0 <= error.start <= error.end <= len(text) + 1
    else:
        json.dumps(value, allow_nan=False)
