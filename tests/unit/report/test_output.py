"""Values and failures as people read them."""

from maestri.report.output import failure_diagnostic, pretty


def test_a_text_is_shown_as_it_is_and_all_else_as_json() -> None:
    assert pretty("two\nlines\n", "see") == "two\nlines"
    assert pretty({"a": ["ü"]}, "see") == '{\n  "a": [\n    "ü"\n  ]\n}'


def test_a_long_value_is_cut_and_says_how_to_see_it_all() -> None:
    shown = pretty("\n".join(str(n) for n in range(100)), "maestri show x --json").split("\n")
    assert len(shown) == 41
    assert shown[-1] == "... 60 more lines; see all with `maestri show x --json`"


def test_a_value_cannot_speak_to_the_terminal() -> None:
    assert pretty("a\x1b]0;x\x07b", "see") == "ab"
    assert "\x1b" not in pretty({"a": "\x1b[2J\x9b1m"}, "see")


def test_a_failure_is_a_diagnostic_with_its_place() -> None:
    failure = {"code": "S101", "message": "exit \x1b[1m2", "fix": "look", "attempt": 2}
    assert failure_diagnostic(failure, "bold-otter-3", "/a").text() == (
        "run bold-otter-3 /a, attempt 2: error[S101]: exit 2\n  fix: look"
    )
