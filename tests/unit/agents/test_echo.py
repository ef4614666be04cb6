"""The agent that answers with what it was asked."""

from __future__ import annotations

from typing import Any

import pytest

from maestri.agents.echo import EchoAgent, simplest
from maestri.kernel.context import Context
from maestri.kernel.ports import Task
from maestri.testing.play import play


@pytest.mark.parametrize(
    ("schema", "answer"),
    [
        ({"type": "string"}, "asked"),
        ({"type": "boolean"}, True),
        ({"type": "integer", "minimum": 3}, 3),
        ({"enum": ["low", "high"]}, "low"),
        ({"const": 7}, 7),
        ({"type": "array", "items": {"type": "null"}, "minItems": 2}, [None, None]),
        ({"type": ["number", "null"]}, 0),
        (
            {"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "number"}}},
            {"a": 0, "b": "asked"},
        ),
        ({"properties": {"a": {"type": "boolean"}}}, {"a": True}),
        (True, "asked"),
    ],
)
def test_the_simplest_answer_is_of_the_form(schema: Any, answer: Any) -> None:
    assert simplest(schema, "asked") == answer


@pytest.mark.parametrize(("returns", "answer"), [(None, "who?"), ({"type": "boolean"}, True)])
def test_it_answers_with_its_prompt_or_by_the_schema(returns: Any, answer: Any) -> None:
    request = {"prompt": "who?"} | ({} if returns is None else {"returns": returns})

    async def ask(ctx: Context) -> Any:
        return await ctx.perform("ask", Task("echo", request))

    assert play(ask, agent=EchoAgent()).output == answer
