"""Mistakes on a command line, told like all others."""

import pytest

from maestri.cli import exits
from maestri.cli.main import COMMANDS, load, parser_of, split
from maestri.cli.post import check_answer, json_value
from maestri.cli.run import given
from maestri.cli.usage import BadArguments, Parser, UnknownOption
from maestri.errors import ConfigError, PathNotFound, RunCancelled, RunInUse, RunNotFound
from maestri.kernel.ports import RunInfo
from maestri.project import CommandLine
from maestri.report.tree import Tree, Wait


def parser(name: str) -> Parser:
    return parser_of(name, load(name))


@pytest.mark.parametrize(
    ("words", "kind", "message", "fix"),
    [
        (["run"], BadArguments, "FILE is missing", "see `maestri run --help`"),
        (["run", "a", "b"], BadArguments, "`b` is one argument too many for `maestri run`", "--help"),
        (
            ["run", "--jsno"],
            UnknownOption,
            "`--jsno` is not an option of `maestri run`",
            "did you mean `--json`?",
        ),
        (["run", "a", "--jso"], UnknownOption, "`--jso` is not an option of `maestri run`", "`--json`"),
        (["run", "a", "--zzz=1"], UnknownOption, "`--zzz` is not an option of `maestri run`", "--help"),
        (
            ["check", "a", "--format", "xml"],
            BadArguments,
            "`xml` is not a value of --format: text, json",
            "--help",
        ),
        (
            ["logs", "r", "p", "--attempt", "0"],
            BadArguments,
            "--attempt: `0` is not a whole number",
            "--help",
        ),
    ],
)
def test_a_mistake_says_what_and_how_to_mend_it(
    words: list[str], kind: type[ConfigError], message: str, fix: str
) -> None:
    with pytest.raises(kind) as caught:
        parser(words[0]).read(words[1:])
    assert caught.value.message.startswith(message)
    assert fix in caught.value.fix


def test_every_command_of_the_table_is_there_and_has_help() -> None:
    for name in COMMANDS:
        if name != "schema":
            assert "exit codes:" in parser(name).format_help()


def test_the_state_option_may_stand_before_the_command() -> None:
    assert split(["--state", "d", "ps", "--all"]) == (["--state", "d"], "ps", ["--all"])
    assert split(["--state=d", "ps"]) == (["--state=d"], "ps", [])
    assert split(["--version"]) == ([], "version", [])
    assert split([]) == ([], None, [])


@pytest.mark.parametrize("words", [["--state"], ["--jsno", "ps"]])
def test_what_stands_before_the_command_is_checked_too(words: list[str]) -> None:
    with pytest.raises(ConfigError):
        split(words)


def test_inputs_are_pairs() -> None:
    assert given(["a=1", "b=x=y"], None) == {"a": CommandLine("1"), "b": CommandLine("x=y")}
    for pairs in (["a"], ["=1"], ["a=1", "a=2"]):
        with pytest.raises(BadArguments):
            given(pairs, None)


def test_a_json_option_says_how_to_quote() -> None:
    assert json_value('{"a": [1]}', "--data") == {"a": [1]}
    with pytest.raises(BadArguments) as caught:
        json_value("some text", "--data")
    assert "quote a text twice" in caught.value.fix


RUN = RunInfo("id", "bold-otter-3", "w", "/", 0.0, 1)


def test_an_answer_must_be_one_of_the_options_of_an_open_question() -> None:
    tree = Tree()
    tree.waits["/go"] = Wait("an answer", question="Land?", options=("yes", "no"))
    check_answer(tree, RUN, "/go", "yes")
    with pytest.raises(BadArguments, match="`yse` is not one of the options `yes`, `no`"):
        check_answer(tree, RUN, "/go", "yse")
    with pytest.raises(PathNotFound) as caught:
        check_answer(tree, RUN, "/gone", "yes")
    assert caught.value.fix == "questions are open at: /go"


def test_exit_codes() -> None:
    assert [exits.of_status(word) for word in ("succeeded", "failed", "cancelled", "waiting")] == [
        0,
        1,
        130,
        3,
    ]
    assert exits.of_error(RunNotFound("x")) == exits.of_error(ConfigError("x")) == 2
    assert exits.of_error(RunInUse("x")) == 1
    assert exits.of_error(RunCancelled("x")) == 130
