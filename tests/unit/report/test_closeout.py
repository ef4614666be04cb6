"""The closeout of a run: facts from its journal, and the same document in three forms."""

import os
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from maestri.kernel.events import Stored
from maestri.lang.model import Estimate
from maestri.report.closeout.document import Document, Paragraph, Points, Section, Table, Verbatim, spans
from maestri.report.closeout.facts import Facts
from maestri.report.closeout.history import History, Landed, Lines
from maestri.report.closeout.html import as_html
from maestri.report.closeout.markdown import as_markdown
from maestri.report.closeout.plan import Asked, Plan
from maestri.report.closeout.sections import Subject, closeout
from maestri.report.closeout.text import as_text
from maestri.report.wording import width_of

History_ = Callable[..., list[Stored]]
HERE = Path(__file__).parent / "closeout"
WRITERS = {"txt": as_text, "md": as_markdown, "html": as_html}
HOSTILE = (
    '<script src="https://x.example/a">alert(1)</script> | `a` ](javascript:b) \x1b[2J\u202e # *c* www.x.de'
)


def facts_of(events: list[Stored]) -> Facts:
    facts = Facts()
    for event in events:
        facts.apply(event)
    return facts


def worker(name: str, **work: Any) -> list[Any]:
    """The notes of a worker in a workspace of its own."""
    path, base = f"/team/{name}", "b" * 40
    made = {"branch": f"maestri/x/{name}", "base": base, "repository": "/r", "claims": [f"{name}.py"]}
    end = [("step.succeeded", f"{path}/commit", {"output": work}), ("scope.succeeded", path)]
    failure = {
        "code": "W114",
        "message": "files were changed that may not be: `x.py`",
        "detail": work,
        "path": f"{path}/commit",
    }
    if "stray" in work:
        end = [
            ("step.failed", f"{path}/commit", {"failure": failure}),
            ("scope.failed", path, {"failure": failure}),
        ]
    return [
        ("scope.opened", path, {"pattern": "workspace", "source": f"t.yaml:{len(name)}:1"}),
        ("step.started", f"{path}/workspace", {"agent": "workspace"}),
        ("step.succeeded", f"{path}/workspace", {"output": made}),
        ("step.started", f"{path}/do", {"agent": "run"}),
        (
            "step.succeeded",
            f"{path}/do",
            {"output": "", "usage": {"tokens_in": 900, "tokens_out": 100, "cost_usd": 0.5}},
        ),
        ("step.started", f"{path}/commit", {"agent": "workspace"}),
        *end,
    ]


OUTPUT = {
    "commit": "c" * 40,
    "into": "landed/x",
    "base": "b" * 40,
    "landed": ["maestri/x/one"],
    "left_out": [
        {
            "branch": "maestri/x/three",
            "kind": "conflict",
            "reason": "it conflicts",
            "files": ["a"],
            "others": ["m"],
        },
        {"branch": "maestri/x/seven", "kind": "combination", "reason": "it breaks together with `one`"},
    ],
    "branches": {
        "maestri/x/one": {
            "tip": "1" * 40,
            "files": 1,
            "lines": 3,
            "workspace": "/team/one",
            "alone": {"passed": True, "took_s": 2.0},
        },
        "maestri/x/three": {
            "tip": "3" * 40,
            "files": 1,
            "lines": 3,
            "workspace": "/team/three",
            "alone": {"passed": False},
        },
    },
    "resolved": [{"branch": "maestri/x/one", "files": ["one.py"], "with": ["main"], "commit": "d" * 40}],
    "forecast": {
        "conflicts": [{"branches": ["m", "n"], "files": ["a"]}],
        "overlaps": [{"branches": ["m", "o"], "files": ["a"]}],
    },
    "verified": {"command": "make test", "before": True, "after": True, "ran": 4, "known": 1, "took_s": 9.0},
    "notes": [],
    "proof": {
        "proved": True,
        "lost": [],
        "hunks": 4,
        "present": 3,
        "listed": [{"text": "`maestri/x/one` a:3: moved to b:9"}],
    },
}


def whole(history: History_, reason: str = "it conflicts") -> Facts:
    failed = {"stray": [{"path": "x.py", "why": "outside"}], "aside": "refs/maestri/r/aside/five"}
    output = {**OUTPUT, "left_out": [{**OUTPUT["left_out"][0], "reason": reason}, OUTPUT["left_out"][1]]}  # type: ignore[index]
    one = worker("one", commit="1" * 40, added=["one.py"], changed=["both.py"], deleted=["old.py"])
    notes = [
        (
            "run.started",
            "",
            {"workflow": "t", "inputs": {"size": 3}, "definition": {"kind": "yaml", "shown_as": "t.yaml"}},
        ),
        ("scope.opened", "/team", {"pattern": "parallel", "total": 3}),
        *one,
        *worker("three", commit="3" * 40, changed=["three.py"]),
        ("run.resumed", "", {"epoch": 2}),
        *worker("fives", **failed),
        ("scope.succeeded", "/team", {"failed": 1}),
        ("step.blocked", "/go", {"reason": "an answer", "question": "Land it?", "options": ["yes", "no"]}),
        ("step.succeeded", "/go", {"output": "yes"}),
        ("scope.opened", "/land", {"pattern": "land"}),
        ("step.started", "/land/try/open", {"agent": "landing"}),
        (
            "step.succeeded",
            "/land/try/open",
            {"output": {"repository": "/r", "into": "landed/x", "branches": []}},
        ),
        ("scope.succeeded", "/land", {"output": output}),
        ("run.succeeded", "", {"output": output, "handled": 1}),
    ]
    return facts_of(history(*notes))


SUBJECT = Subject("bold-otter-3", "01M7", "t", "succeeded", "/r", 43200.0, 43260.0)
PLAN = Plan(
    "What is good lands.",
    "1.0.0",
    (
        Asked("one", "t.yaml:3:1", "run", "make one.py", Estimate("2s, 500 tokens", 500, 0.25, 2.0)),
        Asked("three", "t.yaml:5:1", "builder", "Make three of it."),
    ),
    600.0,
)
GIT = History(
    {"/land": Landed((("cccccccccccc", "Land one"), ("111111111111", "one")), "c" * 40)},
    {"maestri/x/one": (Lines("one.py", 3, 0), Lines("old.py", 0, 9), Lines("both.py", -1, -1))},
)


@pytest.mark.parametrize("ending", WRITERS)
def test_the_report_of_a_landing_in_each_form(history: History_, ending: str) -> None:
    written = WRITERS[ending](closeout(SUBJECT, whole(history), PLAN, GIT))
    expected = HERE / f"landing.{ending}"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(written, encoding="utf-8")
    assert written == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("ending", WRITERS)
def test_the_report_of_a_run_that_has_failed_in_each_form(
    checks: list[Stored], history: History_, ending: str
) -> None:
    failure = {"code": "S101", "message": "exit code 2", "fix": "look at its log", "path": "/checks/tests"}
    end = history(*[("run.failed", "", {"failure": failure, "because": ["/checks/tests"]})] * 20)[-1:]
    subject = SUBJECT._replace(status="failed", workflow="harden")
    written = WRITERS[ending](closeout(subject, facts_of([*checks, *end]), Plan(), History()))
    expected = HERE / f"failed.{ending}"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(written, encoding="utf-8")
    assert written == expected.read_text(encoding="utf-8")


class Page(HTMLParser):
    """What a browser would make of a page: its elements with attributes, and its text."""

    def __init__(self, text: str) -> None:
        """Read a page."""
        super().__init__()
        self.elements: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.words += data


def hostile() -> Document:
    """A document that says the worst in every place."""
    blocks = (Paragraph(HOSTILE), Points((HOSTILE, f"- {HOSTILE}")), Verbatim(f"```\n{HOSTILE}\n````"))
    table = Table((HOSTILE, "b"), ((HOSTILE, HOSTILE),), (1,))
    return Document(HOSTILE, ((HOSTILE, HOSTILE),), (Section(HOSTILE, (*blocks, table)),))


def test_a_page_runs_and_loads_nothing_whatever_is_in_it() -> None:
    page = Page(as_html(hostile()))
    harmless = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "ul", "li", "pre", "code"}
    assert {tag for tag, _ in page.elements} <= harmless | {"table", "tr", "th", "td"}
    names = {name for tag, attrs in page.elements for name, _ in attrs if tag != "meta"}
    assert names <= {"lang", "scope", "class"}
    assert "alert(1)" in page.words


def test_a_page_forbids_by_its_policy_what_could_slip_through() -> None:
    assert "default-src 'none'" in as_html(Document("t", (), ()))


def test_nothing_of_a_text_is_markup_in_markdown() -> None:
    outside = re.sub(r"(`+)(?s:.+?)(?<!`)\1(?!`)", "", as_markdown(hostile()))
    lines = [line for line in outside.split("\n") if not line.startswith(("```", "| ---"))]
    assert not re.search(r"(?<!\\)[<>\[\]*]|https?:|www\.", "\n".join(lines))


def test_a_table_in_markdown_has_as_many_cells_in_each_row() -> None:
    text = as_markdown(Document("t", (), (Section("s", (Table(("a", "b"), (("x|y", "`p|q`"),)),)),)))
    rows = [line for line in text.split("\n") if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}


def test_no_text_moves_the_cursor_of_a_terminal() -> None:
    assert all(char.isprintable() for char in as_text(hostile()).replace("\n", ""))


def test_columns_of_a_text_stand_below_each_other_also_with_wide_letters() -> None:
    table = Table(("name", "n", "note"), (("日本", "1", "x"), ("a", "10", "y")), (1,))
    lines = as_text(Document("t", (), (Section("s", (table,)),))).split("\n")[-5:-1]
    assert [width_of(line.rsplit(" ", 1)[0]) for line in lines[2:]] == [9, 9]


def test_a_command_in_a_text_is_not_torn_apart() -> None:
    long = f"{'word ' * 18}`maestri land one --into other`"
    assert "`maestri land one --into other`" in as_text(
        Document("t", (), (Section("s", (Paragraph(long),)),))
    )


@pytest.mark.parametrize("text", ["a ` b", "``", "a``b", "`a``b`"])
def test_backticks_that_do_not_go_in_pairs_are_text(text: str) -> None:
    assert list(spans(text)) == [(text, False)]


def test_a_run_that_was_parked_was_not_interrupted(history: History_) -> None:
    facts = facts_of(
        history(
            ("run.started", "", {"workflow": "t"}),
            ("run.parked", "", {"waiting": ["/go"]}),
            ("run.resumed", "", {"epoch": 2}),
        )
    )
    assert facts.restarts == 0


def test_a_failure_is_told_where_it_began_and_not_in_the_scopes_around_it(history: History_) -> None:
    assert [path for path, _ in whole(history).causes()] == ["/team/fives/commit"]


def test_steps_that_never_began_are_named(history: History_) -> None:
    facts = facts_of(
        history(("run.started", "", {"workflow": "t"}), ("run.cancelled", "", {"reason": "request"}))
    )
    assert "never began" in as_text(closeout(SUBJECT._replace(status="cancelled"), facts, PLAN, History()))


def test_what_a_hostile_output_says_is_in_the_report_and_does_nothing(history: History_) -> None:
    page = Page(as_html(closeout(SUBJECT, whole(history, HOSTILE), PLAN, GIT)))
    assert "<script" in page.words
    assert "script" not in {tag for tag, _ in page.elements}
