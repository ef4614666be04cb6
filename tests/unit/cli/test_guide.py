"""`maestri patterns` and `maestri suggest`, as they speak on a terminal and to programs."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maestri.cli import exits, patterns
from maestri.cli.main import load, parser_of
from maestri.cli.usage import BadArguments
from maestri.guide.questions import QUESTIONS
from maestri.project import Project


class Keyboard(io.StringIO):
    """What a person types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(terminal: Callable[..., Any]) -> Callable[..., tuple[int, str]]:
    def command(*words: str, **look: Any) -> tuple[int, str]:
        on, out, _ = terminal(**look)
        name = words[0]
        code = load(name).act(parser_of(name, load(name)).read(words[1:]), on)
        return code, out.getvalue()

    return command


def test_all_patterns_are_listed_with_a_line_and_a_sketch(run: Callable[..., Any]) -> None:
    code, said = run("patterns")
    assert code == exits.SUCCEEDED
    assert "parallel   Run named branches at once and join them.\n                ┌─ a ─┐\n" in said
    assert all(f"\n{keyword} " in "\n" + said for keyword in Project().patterns)


def test_one_pattern_is_shown_with_when_to_use_it_and_its_keys(run: Callable[..., Any]) -> None:
    _, said = run("patterns", "refine")
    parts = [line.split("  ")[0] for line in said.splitlines() if line and not line.startswith(" ")]
    assert parts == ["refine", "when", "not if", "cost", "journal", "keys", "in YAML"]
    assert "    until" in said


def test_without_signs_beyond_ascii_the_sketch_is_drawn_with_what_there_is(run: Callable[..., Any]) -> None:
    _, said = run("patterns", "parallel", encoding="ascii")
    assert said.isascii()
    assert "-----+- b -+-- join --" in said


def test_a_program_gets_the_same_as_a_document(run: Callable[..., Any]) -> None:
    found = json.loads(run("patterns", "--json")[1])
    assert [one["name"] for one in found] == list(Project().patterns)
    assert json.loads(run("patterns", "each", "--json")[1]) == patterns.document(Project().patterns["each"])


def test_an_unknown_pattern_is_told_with_the_one_that_was_meant(run: Callable[..., Any]) -> None:
    with pytest.raises(BadArguments) as caught:
        run("patterns", "paralel")
    assert caught.value.diagnostic.fix == "did you mean `parallel`?"


@pytest.fixture
def flow(tmp_path: Path) -> str:
    file = tmp_path / "flow.yaml"
    file.write_text("workflow: w\nsteps:\n  a: {run: one}\n  b: {run: two}\n", encoding="utf-8")
    return str(file)


def test_a_definition_is_read_and_what_fits_is_said_with_the_evidence(
    run: Callable[..., Any], flow: str
) -> None:
    _, said = run("suggest", flow)
    assert said.splitlines() == [
        f"{flow}: 1 suggestion",
        "",
        "sequential everything: `a` and `b` do not use each other's outputs",
        f"  {flow}:3  a  run",
        f"  {flow}:4  b  run",
        "  because: each waits for the one before it, unless they need each other's",
        "    files, which a definition does not say",
        "  fix: make them the branches of a `parallel`",
        "      checks:",
        "        parallel:",
        "          branches:",
        "            a: {run: …}",
        "            b: {run: …}",
    ]


def test_a_file_of_another_system_is_read_as_its_own_and_needs_nobody_to_answer(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "workers.yaml"
    file.write_text("workers:\n  - id: api\n  - id: ui\n  - id: docs\n", encoding="utf-8")
    found = json.loads(run("suggest", str(file), "--json")[1])
    assert [(one["pattern"], one["says"]) for one in found["suggestions"]] == [
        ("parallel", "the `graph` `workers` is more than it needs to be")
    ]


def test_a_program_gets_the_suggestions_as_a_document(run: Callable[..., Any], flow: str) -> None:
    found = json.loads(run("suggest", flow, "--json")[1])
    assert [(one["pattern"], one["where"]) for one in found["suggestions"]] == [("parallel", "/")]
    assert found["suggestions"][0]["steps"][0] == {"name": "a", "line": 3, "verb": "run"}
    assert found["fits"] == []


def test_answers_name_a_pattern_and_what_was_not_answered_is_said(run: Callable[..., Any]) -> None:
    _, said = run("suggest", "--answers", "parts=list, good=review")
    assert said.startswith("each  Do the same for every item")
    assert "and in each part of it refine  " in said
    assert said.endswith("not answered, and taken as: needs=before, fails=stop, counts=simple\n")


def test_answers_as_a_document_have_an_example_each(run: Callable[..., Any]) -> None:
    found = json.loads(run("suggest", "--answers", "needs=nothing,fails=rest", "--json")[1])
    assert [one["name"] for one in found["patterns"]] == ["parallel"]
    assert found["patterns"][0]["example"].startswith("NAME:\n  parallel:")
    assert [one["name"] for one in found["properties"]] == ["`join: settled`"]


def test_five_questions_are_asked_on_a_terminal(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Keyboard("2\n1\nmany\nreview\n1\n1\n"))
    code, said = run("suggest", is_terminal=True, TERM="dumb")
    assert code == exits.SUCCEEDED
    assert [said.count(f"{n} of 5  ") for n in range(1, 6)] == [1] * 5
    assert "type the number of an answer" in said
    assert "\nrefine  Draft, review" in said


def test_an_end_of_the_answers_is_no_answer(run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Keyboard("1\n"))
    assert run("suggest", is_terminal=True, TERM="dumb")[0] == exits.CANCELLED


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "there is nothing to suggest from: no FILE, no `--answers`, and no terminal to ask on"),
        (["--answers", "part=list"], "`part=list` answers no question"),
        (["--answers", "parts=lists"], "`parts=lists` is no answer to: What is the work made of?"),
        (["--answers", "parts=list,parts=one"], "`parts` is answered twice"),
        (["x.yaml", "--answers", "parts=list"], "a definition is looked at, or answers are: not both"),
    ],
)
def test_what_cannot_be_answered_is_refused(run: Callable[..., Any], words: list[str], message: str) -> None:
    with pytest.raises(BadArguments) as caught:
        run("suggest", *words)
    assert caught.value.message == message


def test_a_definition_in_python_is_not_guessed_at(run: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "flow.py"
    file.write_text("import maestri\n\n@maestri.workflow\nasync def w(ctx): ...\n", encoding="utf-8")
    with pytest.raises(BadArguments, match="known only when it runs"):
        run("suggest", str(file))


def test_the_questions_can_be_read_by_a_program(run: Callable[..., Any]) -> None:
    found = json.loads(run("suggest", "--questions", "--json")[1])
    assert [one["name"] for one in found] == [question.name for question in QUESTIONS]
    assert "  list       the same for each item of a list" in run("suggest", "--questions")[1]
