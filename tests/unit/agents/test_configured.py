"""Agents that a file defines: a command, a function, a script."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from maestri.agents.configured import ConfiguredAgent
from maestri.errors import AgentUnavailable, InputInvalid
from maestri.kernel.ports import Attempt, Task


def answered(backend: dict[str, Any], folder: Path, **request: Any) -> Any:
    attempt = Attempt("r", "/look/do", 1, "k", str(folder), print, lambda: None, print, print)  # type: ignore[arg-type]

    async def ask() -> Any:
        agent = ConfiguredAgent()
        try:
            asked = {"prompt": "Look.", "backend": backend, **request}
            return (await agent.perform(Task("reviewer", asked), attempt)).value
        finally:
            await agent.close()

    return asyncio.run(ask())


def test_a_command_reads_the_prompt_and_its_output_is_the_answer(tmp_path: Path) -> None:
    backend = {"kind": "run", "command": "cat; echo; echo $MAESTRI_TIER", "instructions": "You review."}
    assert answered(backend, tmp_path, tier="large") == "You review.\n\nLook.\nlarge"


def test_a_prompt_says_what_to_read_and_what_to_answer(tmp_path: Path) -> None:
    found = answered({"kind": "run", "command": "cat"}, tmp_path, reads=["src/"], returns={"type": "object"})
    assert "- src/" in found
    assert '{"type": "object"}' in found


def test_a_function_takes_the_prompt(tmp_path: Path) -> None:
    assert answered({"kind": "call", "function": "builtins:len"}, tmp_path) == 5


def test_a_script_answers_always_or_by_path(tmp_path: Path) -> None:
    assert answered({"kind": "scripted", "answer": {"n": 1}}, tmp_path) == {"n": 1}
    assert answered({"kind": "scripted", "answers": {"/x": 1, "/look/*": 2}}, tmp_path) == 2
    with pytest.raises(InputInvalid, match="no answer for /look/do"):
        answered({"kind": "scripted", "answers": {"/x": 1}}, tmp_path)


def test_another_back_end_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AgentUnavailable, match="no back end `codex`"):
        answered({"kind": "codex"}, tmp_path)
