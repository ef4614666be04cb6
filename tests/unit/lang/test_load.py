"""The loader: what it reads, and what it says about what it refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from maestri.errors import Diagnostic
from maestri.lang import load as loader
from maestri.lang.load import Loaded, load, read_file
from maestri.lang.tree import Mapping, Scalar, to_json


def only(text: str | bytes) -> Diagnostic:
    """Load what has exactly one finding, and return it."""
    found = load(text, "f.yaml").diagnostics
    assert len(found) == 1, [one.text() for one in found]
    return found[0]


def value(text: str) -> object:
    """Load what has no findings, and return its value."""
    loaded = load(text, "f.yaml")
    assert loaded.tree is not None, [one.text() for one in loaded.diagnostics]
    assert loaded.diagnostics == []
    return to_json(loaded.tree)


def test_a_mapping_is_loaded_with_its_values() -> None:
    assert value("a: 1\nb: [x, {y: 2.5}]\nc: |\n  text\n") == {"a": 1, "b": ["x", {"y": 2.5}], "c": "text\n"}


def test_the_words_of_yaml_1_1_stay_text() -> None:
    assert value("a: [yes, no, on, off, y, n]") == {"a": ["yes", "no", "on", "off", "y", "n"]}


def test_keys_that_look_like_numbers_and_booleans_are_texts() -> None:
    assert value("1: a\ntrue: b\n1.10: c\non: d\n") == {"1": "a", "true": "b", "1.10": "c", "on": "d"}


def test_a_scalar_keeps_the_text_that_was_written() -> None:
    loaded = load("a: 1.10\n", "f.yaml")
    assert loaded.tree is not None
    scalar = loaded.tree.get("a")
    assert isinstance(scalar, Scalar)
    assert (scalar.value, scalar.text, scalar.plain, scalar.block) == (1.1, "1.10", True, False)


@pytest.mark.parametrize(
    ("text", "plain", "block"),
    [
        ("a: x\n", True, False),
        ("a: 'x'\n", False, False),
        ('a: "x"\n', False, False),
        ("a: |\n  x\n", False, True),
    ],
)
def test_a_scalar_tells_how_it_was_written(text: str, plain: bool, block: bool) -> None:
    loaded = load(text, "f.yaml")
    assert loaded.tree is not None
    scalar = loaded.tree.get("a")
    assert isinstance(scalar, Scalar)
    assert (scalar.plain, scalar.block) == (plain, block)


def test_spans_count_from_one_and_end_behind() -> None:
    loaded = load("a: 1\nbc: [x, 'yé']\n", "f.yaml")
    assert loaded.tree is not None
    entry = loaded.tree.entry("bc")
    assert entry is not None
    assert tuple(entry.key.span) == (2, 1, 2, 3)
    assert tuple(entry.value.span) == (2, 5, 2, 14)


def test_a_span_begins_behind_an_anchor_and_a_tag() -> None:
    loaded = load("a: &x !!str 12\n", "f.yaml")
    assert loaded.tree is not None
    scalar = loaded.tree.get("a")
    assert isinstance(scalar, Scalar)
    assert (scalar.value, tuple(scalar.span)) == ("12", (1, 13, 1, 15))


def test_a_byte_order_mark_and_windows_line_ends_do_not_shift_places() -> None:
    loaded = load(b"\xef\xbb\xbfa: 1\r\nb: 2\r\na: 3\r\n", "f.yaml")
    assert [found.where() for found in loaded.diagnostics] == ["f.yaml:3:1"]
    assert loaded.diagnostics[0].snippet == "a: 3"


def test_an_alias_stands_for_what_it_names() -> None:
    assert value("a: &x {k: [1]}\nb: *x\n") == {"a": {"k": [1]}, "b": {"k": [1]}}


def test_core_tags_say_the_type() -> None:
    assert value('a: !!str 5\nb: !!int "5"\nc: ! 5\nd: !!float 5\ne: !!map {}\n') == {
        "a": "5", "b": 5, "c": "5", "d": 5.0, "e": {},
    }  # fmt: skip


def test_every_finding_of_a_file_comes_at_once_and_in_order() -> None:
    loaded = load("a: 1\na: 2\nb: .nan\n<<: {c: 1}\nd: *none\ne: !x 1\n", "f.yaml")
    assert [found.code for found in loaded.diagnostics] == ["L111", "L115", "L113", "L116", "L114"]
    assert [found.span.line for found in loaded.diagnostics if found.span] == [2, 3, 4, 5, 6]


def test_a_duplicate_key_names_the_first_place_and_keeps_the_first_value() -> None:
    loaded = load("steps:\n  a: 1\n  'a': 2\n", "f.yaml")
    assert "f.yaml:2:3" in loaded.diagnostics[0].cause
    assert loaded.tree is not None
    assert to_json(loaded.tree) == {"steps": {"a": 1}}


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("", "L106", "f.yaml:1:1"),
        ("# only words\n", "L106", "f.yaml:1:1"),
        ("just text\n", "L107", "f.yaml:1:1"),
        ("- a\n- b\n", "L107", "f.yaml:1:1"),
        ("a: 1\n---\nb: 2\n", "L108", "f.yaml:2:1"),
        ("a:\n\tb: 1\n", "L109", "f.yaml:2:1"),
        ("a: x\n\tb: 1\n", "L109", "f.yaml:2:1"),
        ("a: b: c\n", "L110", "f.yaml:1:5"),
        ("a: 'x\nb: 2\n", "L110", "f.yaml:1:4"),
        ("a: [1, 2\nb: 3\n", "L110", "f.yaml:1:4"),
        ("a: {b: 1 c: 2}\n", "L110", "f.yaml:1:11"),
        ("a: [x ${y}]\n", "L110", "f.yaml:1:7"),
        ("a: `x`\n", "L110", "f.yaml:1:4"),
        ("a: 'it's'\n", "L110", "f.yaml:1:8"),
        ("a: 1\nfoo\nb: 2\n", "L110", "f.yaml:2:1"),
        ("a:\n  - 1\n  b: 2\n", "L110", "f.yaml:3:3"),
        ("a: - b\n", "L110", "f.yaml:1:4"),
        ('a: "\\q"\n', "L110", "f.yaml:1:5"),
        ("a: |x\n", "L110", "f.yaml:1:4"),
        ("a: }\n", "L110", "f.yaml:1:4"),
        ("? {a: b}\n: c\n", "L112", "f.yaml:1:3"),
        ("~: 1\n", "L112", "f.yaml:1:1"),
        ("null: 1\n", "L112", "f.yaml:1:1"),
        ("<<: {a: 1}\n", "L113", "f.yaml:1:1"),
        ("a: !!python/name:os.system x\n", "L114", "f.yaml:1:4"),
        ("a: !!int abc\n", "L114", "f.yaml:1:4"),
        ("a: !!str [b]\n", "L114", "f.yaml:1:4"),
        ("a: 18446744073709551616\n", "L115", "f.yaml:1:4"),
        ("a: *nope\n", "L116", "f.yaml:1:4"),
        ("a: &x [*x]\n", "L116", "f.yaml:1:8"),
        ("a: &x 1\nb: &x 2\n", "L116", "f.yaml:2:4"),
        ("*x\n", "L116", "f.yaml:1:1"),
        ("%YAML 1.1\n---\na: yes\n", "L121", "f.yaml:1:1"),
    ],
)
def test_what_is_wrong_has_a_code_and_a_place(text: str, code: str, place: str) -> None:
    found = only(text)
    assert (found.code, found.where()) == (code, place)
    assert found.cause or found.fix


@pytest.mark.parametrize("text", ["a: {x: ${foo}}\n", "a: [1, ${foo}]\n", "a: {x: run ${b.c} now, y: 1}\n"])
def test_an_expression_in_flow_braces_is_told_to_be_quoted(text: str) -> None:
    found = only(text)
    assert '"${...}"' in found.fix
    assert found.span is not None
    assert found.span.col == text.index("${") + 1


def test_bytes_that_are_not_utf_8_have_a_place() -> None:
    found = only(b"a: 1\nb: x\xff\n")
    assert (found.code, found.where()) == ("L104", "f.yaml:2:5")
    assert only("a: 1\n".encode("utf-16")).cause == "it begins like UTF-16"


def test_half_of_a_surrogate_pair_is_refused_in_a_form_that_can_be_printed() -> None:
    found = only("a: \ud800\n")
    assert (found.code, found.where()) == ("L104", "f.yaml:1:4")
    assert found.text().encode()


@pytest.mark.parametrize("char", ["\0", "\x07", "\x1b", "\x7f", "\ufffe"])
def test_a_control_character_is_refused_at_its_place(char: str) -> None:
    found = only(f"a: 1\nb: x{char}y\n")
    assert (found.code, found.where()) == ("L105", "f.yaml:2:5")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: " + "[" * 100_000, "L117"),
        ("{a: " * 101, "L117"),
        ("- " * 120 + "x", "L117"),
        ("a: [" + "1," * 60_000 + "]", "L118"),
        ("a: " + "x" * 300_000, "L119"),
        ("a: " + "x" * 1_100_000, "L103"),
    ],
)
def test_what_is_too_large_is_refused(text: str, code: str) -> None:
    loaded = load(text, "f.yaml")
    assert [found.code for found in loaded.diagnostics] == [code]
    assert loaded.tree is None


def test_aliases_of_aliases_are_refused_before_they_grow() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for n in range(1, 9):
        bomb += f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n"
    found = only(bomb)
    assert (found.code, found.span and found.span.line) == ("L120", 5)


def test_aliases_of_a_long_text_count_by_their_length() -> None:
    text = f"a: &a {'x' * 200_000}\nb: [{', '.join(['*a'] * 1000)}]\n"
    assert only(text).code == "L120"


def test_aliases_cannot_nest_deeper_than_lists_may() -> None:
    text = "a: &a " + "[" * 80 + "]" * 80 + "\nb: " + "[" * 20 + "*a" + "]" * 20 + "\n"
    assert only(text).code == "L117"


def test_reading_stops_after_a_hundred_findings() -> None:
    assert len(load("a: 1\n" * 500, "f.yaml").diagnostics) == 100


# --- files ----------------------------------------------------------------------------------------


def read(path: Path | str) -> Diagnostic:
    """Read a file that has exactly one finding."""
    loaded = read_file(path, "shown.yaml")
    assert len(loaded.diagnostics) == 1
    return loaded.diagnostics[0]


def test_a_file_is_read_under_the_name_it_is_shown_as(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\na: 2\n")
    loaded: Loaded = read_file(path, "shown.yaml")
    assert isinstance(loaded.tree, Mapping)
    assert loaded.diagnostics[0].where() == "shown.yaml:2:1"


def test_a_missing_file_says_whether_its_folder_exists(tmp_path: Path) -> None:
    assert read(tmp_path / "none.yaml").code == "L101"
    assert read(tmp_path / "none.yaml").cause == "there is no such file in this folder"
    assert "does not exist either" in read(tmp_path / "no" / "none.yaml").cause


def test_a_directory_and_a_pipe_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read(tmp_path).code == "L102"
    assert read(tmp_path / "pipe").code == "L102"
    assert read("/dev/zero").code == "L102"


def test_a_huge_file_is_refused_by_its_size(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1 << 30)
    assert read(tmp_path / "huge").code == "L103"


def test_a_name_that_no_file_can_have_is_refused() -> None:
    assert read("a\0b").code == "L101"


# --- the parser without libyaml -------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\n",
        "a: [x, {y: 'z'}]\nb: |\n  t\n",
        "a: &x 1\nb: *x\n",
        "a:\n\tb: 1\n",
        "a: {x: ${y}}\n",
        "a: b: c\n",
    ],
)
def test_the_python_parser_gives_the_same(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(text, "f.yaml")
    monkeypatch.setattr(loader, "_EVENTS", yaml.SafeLoader)
    assert load(text, "f.yaml") == first


@pytest.mark.parametrize("text", ['a: "\\UFFFFFFFF"', 'a: "\\ud800"', "%YAML 1.99999999999\n---\na: 1\n"])
def test_what_the_python_parser_stumbles_over_is_a_finding(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "_EVENTS", yaml.SafeLoader)
    assert load(text, "f.yaml").diagnostics
