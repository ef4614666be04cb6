"""What a construct hands to the conformance kit: one small use of it in both forms, with its answers.

The kit (`test_constructs.py`) plays it, cuts it off at every append, resumes it by the other form, cancels it
at every event, and nests it in and around other constructs; nothing of that is written per construct.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from maestri.kernel.context import Context


class Case(NamedTuple):
    """One construct, used once.

    Attributes:
        keyword: Its keyword.
        yaml: The `steps:` of a workflow as YAML text, beginning at column 1 (`it: {...}`). The construct is
            the step `it`; other steps may stand before it.
        python: The same in Python: an async function of a context that makes the same calls.
        answers: What `run`, `call` and agents answer, by path below the workflow (as `ScriptedAgent` takes
            it: a value, an exception to fail with, or a function of task and attempt).
        output: The output of `it`.
        hole: YAML text like `yaml` in which the word BODY, written as one flow value, stands where a body of
            the construct goes; the kit puts other constructs and gates there. What they give is of no matter
            to it: the other answers of `hole` come from `hole_answers`, and a body gives `true`.
        hole_answers: The answers of the other steps in `hole`.
        failures: For each part that can fail, by a name for it: the answers that differ, and the code with
            which `it` fails then; an empty code where the construct handles the failure.
        workflows: A `workflows:` section that `yaml` needs, and `hole_workflows` one for `hole`.
        is_ordered: Whether its parts run one after another, so that its journal paths have one order.
    """

    keyword: str
    yaml: str
    python: Callable[[Context], Awaitable[Any]]
    answers: Mapping[str, Any]
    output: Any
    hole: str = ""
    hole_answers: Mapping[str, Any] = {}
    failures: Mapping[str, tuple[Mapping[str, Any], str]] = {}
    is_ordered: bool = False
    workflows: str = ""
    hole_workflows: str = ""
