"""What is said of definitions: the three habits that cost more than they seem to, and patterns by hand."""

from collections.abc import Callable
from pathlib import Path

import pytest

from maestri.guide.advice import Advice
from maestri.guide.suggesting import suggestions
from maestri.project import Project

Suggest = Callable[[str], list[Advice]]
AGENTS = "agents:\n  a: {backend: run, command: cat}\n  b: {backend: run, command: cat}\n"


@pytest.fixture
def suggest(tmp_path: Path) -> Suggest:
    def of(steps: str) -> list[Advice]:
        file = tmp_path / "flow.yaml"
        lines = "".join(f"  {line}\n" for line in steps.strip().splitlines())
        file.write_text(f"workflow: w\n{AGENTS}inputs: {{kind: text}}\nsteps:\n{lines}", encoding="utf-8")
        model = Project().load(str(file)).model
        assert model is not None
        return suggestions(model)

    return of


def better(found: list[Advice]) -> list[tuple[str, str]]:
    return [(one.habit, one.pattern) for one in found if not one.is_praise]


# --- sequential everything ------------------------------------------------------------------------


def test_steps_that_do_not_use_each_other_are_a_parallel_with_the_lines_as_evidence(suggest: Suggest) -> None:
    (one,) = suggest("lint: {run: ruff check}\ntypes: {run: mypy}\ntests: {run: pytest}")
    assert (one.habit, one.pattern) == ("sequential everything", "parallel")
    assert one.says == "`lint`, `types` and `tests` do not use each other's outputs"
    assert [(step.name, step.line) for step in one.seen] == [("lint", 7), ("types", 8), ("tests", 9)]
    assert "lint: {run: …}" in one.example


def test_only_those_that_stand_beside_each_other_are_named(suggest: Suggest) -> None:
    found = suggest('a: {run: one}\nb: {run: two}\nc: {run: cat, stdin: "${a} ${b}"}\n')
    assert [one.says for one in found] == ["`a` and `b` do not use each other's outputs"]


def test_steps_of_which_some_need_others_are_a_graph(suggest: Suggest) -> None:
    flow = 'a: {run: one}\nb: {run: cat, stdin: "${a}"}\nc: {run: two}\nd: {run: cat, stdin: "${c}"}'
    found = suggest(flow + '\ne: {run: cat, stdin: "${b} ${d}"}')
    assert better(found) == [("sequential everything", "graph")]
    assert "e: {run: …, needs: [b, d]}" in found[0].example


def test_a_line_in_which_each_uses_the_one_before_it_fits(suggest: Suggest) -> None:
    (one,) = suggest('a: {run: one}\nb: {run: cat, stdin: "${a}"}\nc: {run: cat, stdin: "${b}"}')
    assert one.is_praise
    assert (one.pattern, one.because) == ("steps", "each of them needs what stands before it")


@pytest.mark.parametrize(
    "middle",
    [
        "{ask: go on?}",
        "{wait: 1s}",
        "{run: echo x > file}",
        "{run: git commit -m x}",
        "{run: ruff check --fix}",
        "{run: make}",
        "{emit: ready}",
        "{call: 'os:getcwd'}",
        "{steps: {x: {run: touch x}, y: {run: two}}}",
    ],
)
def test_what_has_an_effect_or_is_waited_for_keeps_its_place(suggest: Suggest, middle: str) -> None:
    assert all(
        one.is_praise or one.where != "/" for one in suggest(f"a: {{run: one}}\nb: {middle}\nc: {{run: two}}")
    )


def test_files_and_memory_are_uses_too(suggest: Suggest) -> None:
    flow = "a: {run: one, delivers: [out.txt]}\nb: {run: two, requires: ['*.txt']}"
    assert better(suggest(flow)) == []
    flow = "a: {run: one, memory: {write: {x: '${output}'}}}\nb: {run: two, stdin: '${memory.x}'}"
    assert better(suggest(flow)) == []


def test_output_that_is_read_only_is_no_effect(suggest: Suggest) -> None:
    found = suggest("a: {run: git log 2>/dev/null}\nb: {run: git diff --stat 2>&1}")
    assert better(found) == [("sequential everything", "parallel")]


# --- single agent, over-orchestration -------------------------------------------------------------


def test_one_agent_that_does_everything_is_named_with_the_tasks_that_it_lists(suggest: Suggest) -> None:
    (one,) = suggest('all: {agent: a, prompt: "Do this:\\n1. Look at auth\\n2. Look at the database"}')
    assert (one.habit, one.pattern) == ("single agent", "parallel")
    assert one.says == "the agent `a` does everything: one step, 11 words, which list 2 tasks"
    assert "task2: {agent: a, prompt: Look at the database}" in one.example


def test_one_agent_whose_task_has_no_parts_is_told_how_to_find_them(suggest: Suggest) -> None:
    assert better(suggest("all: {agent: a, prompt: Make it good}")) == [("single agent", "scout")]


def test_an_agent_for_every_tiny_task_is_too_much(suggest: Suggest) -> None:
    words = ("read", "count", "sort", "print")
    flow = "\n".join(f"s{n}: {{agent: a, prompt: Please {word} {'it ' * n}}}" for n, word in enumerate(words))
    assert ("over-orchestration", "") in better(suggest(flow))


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("{parallel: {branches: {a: {run: one}}}}", "has one branch"),
        ("{branch: {a: {when: \"${inputs.kind == 'x'}\", run: one}}}", "has one arm"),
        ("{each: {items: [1], steps: {a: {run: one}}}}", "has a list of one item"),
        ("{loop: {max_rounds: 1, steps: {a: {run: one}}}}", "has one round"),
        ("{steps: {a: {run: one}}}", "holds one step"),
        ("{graph: {steps: {a: {run: one}}}}", "has one step"),
    ],
)
def test_a_pattern_with_nothing_in_it_is_too_much(suggest: Suggest, step: str, words: str) -> None:
    (one,) = suggest(f"it: {step}")
    assert one.habit == "over-orchestration"
    assert one.says.endswith(words)


def test_a_parallel_of_one_whose_failure_is_handled_has_its_reason(suggest: Suggest) -> None:
    assert suggest("it: {parallel: {join: settled, branches: {a: {run: one}}}}") == []


@pytest.mark.parametrize(
    ("needs", "wanted"),
    [(("", ""), "parallel"), ("a", "steps")],
)
def test_a_graph_without_needs_or_in_a_line_is_too_much(suggest: Suggest, needs: str, wanted: str) -> None:
    need = ", needs: [a]" if needs == "a" else ""
    found = suggest(f"it: {{graph: {{steps: {{a: {{run: one}}, b: {{run: two{need}}}}}}}}}")
    assert better(found) == [("over-orchestration", wanted)]


def test_a_graph_that_is_one_fits(suggest: Suggest) -> None:
    (one,) = suggest(
        "it:\n  graph:\n    steps:\n      a: {run: x}\n      b: {run: y}\n      c: {run: z, needs: [a, b]}"
    )
    assert (one.is_praise, one.pattern) == (True, "graph")


# --- patterns by hand -----------------------------------------------------------------------------


@pytest.mark.parametrize("around", ["", "it:\n  parallel:\n    branches:\n"])
def test_steps_that_differ_in_one_word_are_an_each(suggest: Suggest, around: str) -> None:
    pad = "      " if around else ""
    flow = around + "\n".join(f"{pad}t{word}: {{run: wc -l {word}}}" for word in ("x", "y", "z"))
    found = [one for one in suggest(flow) if not one.is_praise]
    assert [(one.pattern, one.says) for one in found] == [
        ("each", "`tx`, `ty` and `tz` differ in one word only: x, y, z")
    ]


def test_steps_that_compare_the_same_value_are_a_branch(suggest: Suggest) -> None:
    flow = "k: {run: kind}\n" + "\n".join(
        f"{k}: {{when: \"${{k == '{k}'}}\", run: do {k}}}" for k in ("x", "y")
    )
    assert ("a choice by hand", "branch") in better(suggest(flow))


def test_agents_that_take_turns_are_a_refine(suggest: Suggest) -> None:
    turns = ("a", "b", "a", "b")
    before = ["", *(f" ${{s{n}}}" for n in range(3))]
    flow = "\n".join(
        f's{n}: {{agent: {agent}, prompt: "Write or say what is wrong{text}"}}'
        for n, (agent, text) in enumerate(zip(turns, before, strict=True))
    )
    assert ("rounds by hand", "refine") in better(suggest(flow))


def test_a_loop_that_checks_and_has_it_mended_is_a_repair(suggest: Suggest) -> None:
    loop = 'it:\n  loop:\n    until: "${round >= 3}"\n    steps:\n      tests: {run: pytest, ok: [0, 1]}\n'
    found = suggest(loop + '      mend: {agent: a, prompt: "Mend ${tests}"}')
    assert ("a repair by hand", "repair") in better(found)


def test_a_parallel_of_which_the_first_counts_is_a_race(suggest: Suggest) -> None:
    found = suggest("it: {parallel: {join: any, branches: {a: {run: one}, b: {run: two}}}}")
    assert better(found) == [("a race by hand", "race")]


def test_an_author_does_not_review_what_they_wrote(suggest: Suggest) -> None:
    refine = "it:\n  refine:\n    draft: {agent: a, prompt: Write}\n    until: '${review == \"fine\"}'\n"
    found = suggest(refine + '    review: {agent: a, prompt: "What is wrong with ${draft}?"}')
    assert better(found) == [("an author's own review", "refine")]
    assert suggest(refine + '    review: {agent: b, prompt: "What is wrong with ${draft}?"}') == []
