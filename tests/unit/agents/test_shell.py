"""`run` tasks: what a command is given, what its output becomes, and how it fails."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maestri.errors import (
    AgentUnavailable,
    ExitFailed,
    InputInvalid,
    KilledBySignal,
    OutputInvalid,
)
from maestri.kernel.ports import Answer
from maestri.testing.check_agent import Witness

Run = Callable[..., Answer]


def test_a_text_is_a_shell_command(run: Run) -> None:
    assert run("echo a; echo b >&2").value == "a"


def test_a_list_is_no_shell_command(run: Run) -> None:
    assert run(["printf", "%s|", "$HOME", "a b"]).value == "$HOME|a b|"


def test_trailing_newlines_go_and_inner_ones_stay(run: Run) -> None:
    assert run(r"printf '\n a\n\nb\n\n'").value == "\n a\n\nb"


def test_values_reach_a_command_by_environment_and_input(run: Run) -> None:
    assert run('echo "$N $L"; cat', env={"N": 3, "L": ["a", None]}, stdin="in").value == '3 ["a",null]\nin'


def test_null_is_refused_as_a_variable(run: Run) -> None:
    with pytest.raises(InputInvalid, match="'X' is null"):
        run("echo", env={"X": None})


def test_a_relative_directory_is_below_the_runs(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    assert run("pwd", cwd="sub").value == str(tmp_path / "sub")


def test_a_command_knows_who_it_is(run: Run, witness: Witness) -> None:
    names = "$MAESTRI_RUN $MAESTRI_PATH $MAESTRI_KEY $MAESTRI_ATTEMPT"
    attempt = witness.attempt
    assert run(f"echo {names}").value == f"{attempt.run} /step {attempt.key} 1"


def test_the_key_cannot_be_declared_away(run: Run, witness: Witness) -> None:
    assert run("echo $MAESTRI_KEY", env={"MAESTRI_KEY": "mine"}).value == witness.attempt.key


def test_secrets_of_maestri_stay_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "secret")
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    assert run('echo "$SOME_API_KEY$GIT_DIR"').value == ""


def test_a_declared_variable_gets_in_whatever_its_name(run: Run) -> None:
    assert run("echo $GIT_DIR", env={"GIT_DIR": "x"}).value == "x"


def test_an_accepted_exit_code_is_no_failure(run: Run) -> None:
    assert run("echo found; exit 1", ok=[0, 1]).value == "found"


def test_an_exit_code_that_is_not_accepted_is_a_failure(run: Run) -> None:
    with pytest.raises(ExitFailed, match=r"exit code 3: last words") as caught:
        run("echo out; echo first >&2; echo last words >&2; exit 3")
    assert caught.value.detail == {"exit_code": 3, "stderr": "first\nlast words", "stdout_tail": "out\n"}


def test_only_the_last_lines_of_errors_are_kept_in_a_failure(run: Run) -> None:
    with pytest.raises(ExitFailed) as caught:
        run("seq 100 >&2; exit 1")
    assert caught.value.detail["stderr"].split() == [str(n) for n in range(91, 101)]


def test_a_long_command_is_shortened_in_a_message(run: Run) -> None:
    with pytest.raises(ExitFailed) as caught:
        run("false " + "x" * 500)
    assert len(caught.value.message) < 120


def test_a_signal_is_named(run: Run) -> None:
    with pytest.raises(KilledBySignal, match="SIGSEGV"):
        run("kill -SEGV $$")


def test_a_kill_from_outside_hints_at_memory(run: Run) -> None:
    with pytest.raises(KilledBySignal, match="SIGKILL") as caught:
        run("kill -9 $$")
    assert "out of memory" in caught.value.cause


def test_a_shells_word_for_a_signal_is_explained(run: Run) -> None:
    with pytest.raises(ExitFailed, match="137") as caught:
        run("sh -c 'kill -9 $$'; exit $?")
    assert "SIGKILL" in caught.value.cause


@pytest.mark.parametrize("command", ["no-such-program --x", ["no-such-program"], "echo a; no-such-program"])
def test_a_missing_program_is_named(run: Run, command: Any) -> None:
    with pytest.raises(AgentUnavailable, match="command not found: no-such-program") as caught:
        run(command)
    assert "install" in caught.value.fix


def test_an_own_exit_with_127_is_an_exit(run: Run) -> None:
    with pytest.raises(ExitFailed, match="127"):
        run("exit 127")


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"command": ""}, "needs a command"),
        ({"command": []}, "needs a command"),
        ({"command": None}, "needs a command"),
        ({"command": "true", "output": "xml"}, "`output: xml`"),
        ({"command": "true", "cwd": "none"}, "working directory"),
        ({"command": "true", "env": {"A=B": "x"}}, "name of a variable"),
        ({"command": ["true", None]}, "argument 1 is null"),
        ({"command": ["echo", "\ud800"]}, "not valid Unicode"),
        ({"command": "cat", "stdin": "\ud800"}, "not valid Unicode"),
    ],
)
def test_a_request_that_cannot_be_used_says_why(run: Run, request_: dict[str, Any], words: str) -> None:
    with pytest.raises(InputInvalid, match=words) as caught:
        run(**request_)
    assert caught.value.fix


def test_json_is_parsed(run: Run) -> None:
    assert run("""echo '{"a": [1, 2.5, null]}'""", output="json").value == {"a": [1, 2.5, None]}


@pytest.mark.parametrize("text", ["", "{", "NaN", "[Infinity]", "1e999", r"\377", "1 2", "9" * 5000])
def test_what_is_not_json_is_refused(run: Run, text: str) -> None:
    with pytest.raises(OutputInvalid) as caught:
        run(f"printf '{text}'", output="json")
    assert "JSON" in caught.value.message


def test_deep_json_is_refused_or_read_but_never_crashes(run: Run) -> None:
    with pytest.raises(OutputInvalid):
        run([sys.executable, "-c", "print('[' * 100000)"], output="json")


def test_jsonl_is_a_list(run: Run) -> None:
    assert run("""printf '1\\n\\n{"a": 2}\\n'""", output="jsonl").value == [1, {"a": 2}]


def test_jsonl_names_the_line_that_is_wrong(run: Run) -> None:
    with pytest.raises(OutputInvalid, match="line 3"):
        run(r"printf '1\n\nx\n'", output="jsonl")


def test_lines_are_a_list(run: Run) -> None:
    assert run(r"printf 'a\r\n\nb'", output="lines").value == ["a", "", "b"]


@pytest.mark.parametrize("output", ["lines", "jsonl"])
def test_no_output_is_no_lines(run: Run, output: str) -> None:
    assert run("true", output=output).value == []


def test_a_result_has_all_three_parts(run: Run) -> None:
    result = run("echo a; echo b >&2; exit 2", output="result", ok=[0, 2]).value
    assert result == {"exit_code": 2, "stdout": "a\n", "stderr": "b\n"}


def test_output_is_logged_and_shown(run: Run, witness: Witness) -> None:
    run("echo a; echo b >&2")
    assert sorted(witness.logged.split()) == [b"a", b"b"]
    assert witness.beats >= 1
    assert witness.notices[0][0] == "output"


def test_a_large_text_keeps_its_ends_and_becomes_an_artifact(run: Run, witness: Witness) -> None:
    answer = run("echo first; yes | head -c 3000000; echo last")
    assert answer.value.startswith("first\ny\n")
    assert answer.value.endswith("y\nlast")
    assert answer.artifacts[0].size_bytes == 3_000_011
    assert f"artifact {answer.artifacts[0].digest}" in answer.value


def test_large_json_is_parsed_from_the_disk(run: Run) -> None:
    script = "import json; print(json.dumps(list(range(400000))))"
    assert len(run([sys.executable, "-c", script], output="json").value) == 400_000


def test_too_large_json_is_refused_with_its_artifact(
    run: Run, witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maestri.agents.answer.PARSED_BYTES", 2_000_000)
    with pytest.raises(OutputInvalid, match="3000000 bytes") as caught:
        run("yes | head -c 3000000", output="lines")
    assert caught.value.detail["artifact"]["artifact"] in witness.kept


def test_a_line_of_ten_megabytes_is_a_line(run: Run) -> None:
    (line,) = run("head -c 10000000 /dev/zero | tr '\\0' x", output="lines").value
    assert line == "x" * 10_000_000


def test_a_large_output_of_a_failure_is_kept(run: Run, witness: Witness) -> None:
    with pytest.raises(ExitFailed) as caught:
        run("yes | head -c 3000000; exit 1")
    assert caught.value.detail["stdout_artifact"]["artifact"] in witness.kept
