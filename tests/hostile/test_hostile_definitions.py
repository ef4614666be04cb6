"""Definitions that are broken, huge or meant badly: findings come back, soon, and nothing else ever does."""

from __future__ import annotations

import os
import random
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from maestri import patterns
from maestri.errors import Diagnostic
from maestri.lang.definitions import Library
from maestri.patterns._registry import PatternSpec, spec
from tally import tally

SEED = int(os.environ.get("MAESTRI_FUZZ_SEED", "2026"))
INPUTS = int(os.environ.get("MAESTRI_FUZZ_DEFINITIONS", "1500"))
LIMIT_S = 5
PATTERNS: dict[str, PatternSpec] = {
    found.keyword: found for found in (spec(getattr(patterns, name)) for name in patterns.__all__)
}
GOLDEN = Path(__file__).parent.parent / "golden"
CORPUS = [file.read_text(encoding="utf-8") for file in sorted((GOLDEN / "valid").glob("*.yaml"))]
CORPUS += [file.read_text(encoding="utf-8") for file in sorted(GOLDEN.glob("names-*.yaml"))]
_TOKEN = re.compile(r"\$\{|[A-Za-z_][\w-]*|\s+|.", re.DOTALL)


def check(text: str | bytes, folder: Path) -> list[Diagnostic]:
    """Open and check a definition through a file, as a command would; returns the findings."""
    file = folder / "f.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    library = Library(PATTERNS, ("builder", "reviewer"))
    definition, findings = library.open(str(file), "f.yaml")
    return findings if definition is None else library.check(definition)


@contextmanager
def alarm() -> Iterator[None]:
    """Stop what takes much longer than anything may."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(LIMIT_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def mutated(rng: random.Random) -> str:
    """Return a definition with a few words taken out, doubled, swapped or put elsewhere."""
    tokens = _TOKEN.findall(rng.choice(CORPUS))
    for _ in range(rng.randint(1, 4)):
        at, other = rng.randrange(len(tokens)), rng.randrange(len(tokens))
        change = rng.randrange(4)
        if change == 0:
            tokens[at] = ""
        elif change == 1:
            tokens[at] = tokens[at] * 2
        elif change == 2:
            tokens[at], tokens[other] = tokens[other], tokens[at]
        else:
            tokens[at] = tokens[other]
    return "".join(tokens)


def test_mutated_definitions_give_findings_and_nothing_else(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    found = 0
    for _ in range(INPUTS):
        text = mutated(rng)
        with alarm():
            findings = check(text, tmp_path)
        for one in findings:
            assert one.text().encode()
            assert one.severity in {"error", "warning"}
        assert findings == sorted(
            findings, key=lambda one: (one.file or "", one.span or (0, 0, 0, 0), one.code)
        )
        found += bool(findings)
    tally("definitions", SEED, inputs=INPUTS, with_findings=found, uncaught=0)
    assert found > INPUTS // 2


def nested(depth: int) -> str:
    """Return parallel steps inside each other, as deep as the loader lets through."""
    text = "{run: make}"
    for level in range(depth):
        text = f"{{parallel: {{branches: {{b{level}: {text}}}}}}}"
    return f"steps: {{a: {text}, b: {{run: [echo, '${{b0}}']}}}}\n"


def at_length(depth: int) -> str:
    """Return parallel steps inside each other in their longest form: five levels of YAML each."""
    text = "{run: make}"
    for level in range(depth):
        text = f"{{parallel: {{branches: {{b{level}: {{steps: {{s{level}: {text}}}}}}}}}}}"
    return f"steps: {{a: {text}}}\n"


def steps(lines: Iterator[str]) -> str:
    return "steps:\n" + "\n".join(lines) + "\n"


HOSTILE: dict[str, str | bytes] = {
    "empty": "",
    "binary": bytes(range(256)) * 40,
    "tabs": "steps:\n\ta:\n\t\trun: make\n",
    "brackets": "[" * 100_000,
    "braces": "{a: " * 100_000,
    "alias bomb": "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)),
    "alias of steps": "x: &x {run: [echo, '${nothing}'], colour: red}\n"
    + steps(f"  s{n}: *x" for n in range(9_000)),
    "deep": nested(32),
    "many unknown keys": "".join(f"k{n}: 1\n" for n in range(20_000)),
    "many unknown names": steps(f"  s{n}: {{run: [echo, '${{x{n}}}']}}" for n in range(8_000)),
    "one long body": steps(f"  s{n}: {{run: [echo, '${{s{max(n - 1, 0)}}}']}}" for n in range(8_000)),
    "outputs of outputs": steps(
        f"  s{n + 1}: {{steps: {{q: {{run: a}}}}, output: {{a: '${{s{n}}}', b: '${{s{n}}}'}}}}"
        for n in range(2_500)
    ),
    "outputs that are compared": steps(
        f"  {s}{n + 1}: {{steps: {{q: {{run: a}}}}, output: {{a: '${{{s}{n}}}', b: '${{[{s}{n}, t{n}]}}'}}}}"
        for n in range(1_500)
        for s in "st"
    ),
    "a long chain of needs": "steps: {g: {graph: {steps: {\n"
    + ",\n".join(f"s{n}: {{needs: [s{n - 1}], run: [echo, '${{s0}}']}}" for n in range(1, 3_500))
    + ", s0: {run: [echo, '${s1}']}}}}}\n",
    "many circles": "steps: {g: {graph: {steps: {\n"
    + ",\n".join(f"s{n}: {{needs: [s{n ^ 1}], run: make}}" for n in range(6_000))
    + "}}}}\n",
    "a long chain of calls": "steps: {a: {workflow: w0}}\nworkflows:\n"
    + "".join(f"  w{n}: {{steps: {{a: {{workflow: w{n + 1}}}}}}}\n" for n in range(5_000)),
    "a large circle of calls": "steps: {a: {workflow: w0}}\nworkflows:\n"
    + "".join(f"  w{n}: {{steps: {{a: {{workflow: w{(n + 1) % 4_000}}}}}}}\n" for n in range(4_000)),
    "many calls of nothing": steps(f"  s{n}: {{workflow: w{n}.yaml}}" for n in range(8_000)),
    "a shell text full of names": "steps:\n  a: {run: make}\n  b:\n    run: |\n"
    + "      ${a} ${a.b} ${len(a)}\n" * 9_000,
    "a prompt full of names": "steps:\n  b:\n    agent: builder\n    prompt: |\n"
    + "      ${a} ${a.b}\n" * 9_000,
    "itself": "steps: {a: {workflow: f.yaml}}\n",
    "a name of one file with NUL": 'steps: {a: {workflow: "f\\0.yaml"}, b: {workflow: "f\\0.py:g"}}\n',
    "a name that is too long": f"steps: {{a: {{workflow: {'x/' * 9_000}.yaml}}}}\n",
    "half a surrogate": 'steps: {a: {workflow: "\\uD800.yaml"}}\n',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_definitions_end(name: str, tmp_path: Path) -> None:
    with alarm():
        findings = check(HOSTILE[name], tmp_path)
    assert all(one.text() and one.cause and one.fix for one in findings)
    assert findings


def test_patterns_nest_deeper_than_anybody_means(tmp_path: Path) -> None:
    with alarm():
        assert check(at_length(19), tmp_path) == []
        assert [one.code for one in check(at_length(20), tmp_path)] == ["L117"]


def test_a_line_that_is_cut_off_says_so(tmp_path: Path) -> None:
    long = check(f"steps: {{a: {{run: make, {'x' * 300}: 1, timeout: 1m1h}}}}\n", tmp_path)
    lines = [one.text().splitlines()[1].strip() for one in long]
    assert [(line[0], line[-1]) for line in lines] == [("s", "…"), ("…", "}")]


def test_a_finding_always_says_why_and_what_to_do(tmp_path: Path) -> None:
    rng = random.Random(SEED + 1)
    for _ in range(INPUTS // 3):
        text = mutated(rng)
        for one in check(text, tmp_path):
            assert one.cause, one.text()
            assert one.fix, one.text()


def test_a_file_of_a_gigabyte_is_refused_without_being_read(tmp_path: Path) -> None:
    file = tmp_path / "large.yaml"
    with file.open("wb") as made:
        os.truncate(made.fileno(), 1 << 30)
    with alarm():
        definition, findings = Library(PATTERNS).open(str(file), "large.yaml")
    assert definition is None
    assert [one.code for one in findings] == ["L103"]


def test_a_circle_of_links_and_a_pipe_are_refused(tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "dir.yaml").mkdir()
    text = "steps: {a: {workflow: loop.yaml}, b: {workflow: pipe.yaml}, c: {workflow: dir.yaml}}\n"
    with alarm():
        findings = check(text, tmp_path)
    assert [(one.code, one.file) for one in findings] == [
        ("L102", "dir.yaml"),
        ("L101", "loop.yaml"),
        ("L102", "pipe.yaml"),
    ]


def test_more_errors_than_are_shown_leave_one_that_says_so(tmp_path: Path) -> None:
    findings = check(HOSTILE["many unknown keys"], tmp_path)
    assert [one.code for one in findings if one.span is None] == ["L230"]
    assert len(findings) < 110


def test_warnings_never_hide_an_error(tmp_path: Path) -> None:
    lines = [f"  s{n}: {{run: make, when: false}}" for n in range(300)]
    findings = check(steps(iter([*lines, "  x: {run: [echo, '${nothing}']}"])), tmp_path)
    assert [one.code for one in findings if one.severity == "error"] == ["L210"]
