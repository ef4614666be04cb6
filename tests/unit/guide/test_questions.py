"""Five answers name a pattern: the selection tables of the five seed documents, row by row."""

import pytest

from maestri.guide.questions import QUESTIONS, complete, fitting
from maestri.project import Project

# The document, its situation, the answers that say the same, and the pattern that it names in our words.
TABLES = [
    ("0", "Sequential: simple pipelines", "needs=before", ["steps"]),
    ("0", "Parallel: independent tasks", "needs=nothing", ["parallel"]),
    ("0", "Conditional: adaptive workflows", "needs=choice", ["branch"]),
    ("0", "Iterative: quality loops", "parts=one good=value", ["loop"]),
    ("0", "Codex sandbox: auto-fixing", "parts=one good=command fails=mend", ["repair"]),
    ("0", "Hybrid: complex workflows", "needs=some", ["graph"]),
    ("0", "Error recovery: mission-critical", "parts=one fails=other", ["fallback"]),
    ("0", "Progressive: real-time reporting", "needs=nothing counts=time", ["parallel"]),
    ("0", "Nested: modular reuse", "parts=shared", ["workflow"]),
    ("1", "Step-by-step process", "needs=before", ["steps"]),
    ("1", "Independent parallel tasks", "needs=nothing", ["parallel"]),
    ("1", "Decision-based routing", "needs=choice", ["branch"]),
    ("1", "Quality improvement loop", "parts=one good=review", ["refine"]),
    ("1", "Complex coordination", "parts=decided", ["supervise"]),
    ("1", "Reactive automation", "parts=events", ["on"]),
    ("1", "Batch processing", "parts=list", ["each"]),
    ("1", "Reversible operations", "fails=undo", ["saga"]),
    ("2", "No dependencies", "needs=nothing", ["parallel"]),
    ("2", "Strong dependencies", "needs=before", ["steps"]),
    ("2", "Mostly independent", "needs=meet", ["streams"]),
    ("2", "Need validation", "parts=one good=approve", ["review"]),
    ("2", "Large migration", "good=gate", ["phases"]),
    ("2", "Multiple similar tasks", "parts=list", ["each"]),
    ("2", "Dynamic routing", "needs=choice", ["branch"]),
    ("3", "Workers with dependencies on each other's outputs", "needs=some", ["graph"]),
    ("4", "Need info from multiple sources", "needs=nothing", ["parallel"]),
    ("4", "Sequential dependencies", "needs=before", ["steps"]),
    ("4", "Independent workstreams", "needs=meet", ["streams"]),
    ("4", "Unknown territory", "parts=unknown", ["scout"]),
    ("4", "Multiple valid approaches", "parts=one good=compare", ["compete"]),
    ("4", "Complex, iterative work", "parts=one good=review", ["refine"]),
    ("beyond", "the first answer will do", "parts=one fails=other counts=time", ["race"]),
    ("beyond", "an answer not to trust to one", "parts=one good=agree", ["vote"]),
    ("beyond", "an event has come", "parts=event", ["route"]),
]


def read(text: str) -> dict[str, str]:
    return dict(part.split("=") for part in text.split())


@pytest.mark.parametrize(("document", "situation", "answers", "wanted"), TABLES)
def test_the_selection_tables_hold(document: str, situation: str, answers: str, wanted: list[str]) -> None:
    assert [one.pattern for one in fitting(read(answers)).patterns] == wanted, f"{document}: {situation}"


def test_every_pattern_is_named_by_some_answers() -> None:
    named = {pattern for *_, wanted in TABLES for pattern in wanted}
    # Landing is the end of a run with workspaces of its own, and nothing that a question would find.
    assert set(Project().patterns) - named <= {"land"}


def test_models_by_what_they_are_good_at_are_a_property_of_a_step() -> None:
    found = fitting({"parts": "one", "counts": "money"})
    assert found.patterns == ()
    assert [one.pattern.partition(" ")[0] for one in found.properties] == ["`tier:"]


def test_what_each_part_is_made_with_stands_inside_of_what_is_around_the_parts() -> None:
    found = fitting({"parts": "list", "good": "review", "fails": "rest"})
    assert [one.pattern for one in found.patterns] == ["each", "refine"]
    assert found.patterns[1].because == "you say “somebody reviews it, and it gets better with each review”"


@pytest.mark.parametrize(
    ("answers", "wanted"),
    [
        ("needs=before fails=undo", ["saga"]),
        ("needs=before good=gate", ["phases"]),
        ("needs=nothing good=compare", ["compete"]),
        ("needs=nothing fails=undo", ["parallel", "saga"]),
    ],
)
def test_a_pattern_that_does_what_the_outer_one_would_takes_its_place(
    answers: str, wanted: list[str]
) -> None:
    assert [one.pattern for one in fitting(read(answers)).patterns] == wanted


def test_one_piece_of_work_that_is_done_once_needs_no_pattern() -> None:
    assert fitting({"parts": "one"}).patterns == ()


def test_there_are_five_questions_and_the_first_answer_is_meant_where_none_is_given() -> None:
    assert len(QUESTIONS) == 5
    assert complete({"needs": "some"}) == {
        "parts": "steps",
        "needs": "some",
        "good": "done",
        "fails": "stop",
        "counts": "simple",
    }
