"""An agent that answers with what it was asked: for trying a workflow without a model, a key or money.

Rule: where an answer must have a form it is always the same one, so that a try gives the same each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maestri.kernel.ports import Answer, Attempt, Task


class EchoAgent:
    """Answers with its prompt; where an answer must be of a form, with the simplest one of that form."""

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        """Return the prompt, or what the schema of the answer asks for."""
        prompt = str(task.request.get("prompt", ""))
        schema = task.request.get("returns")
        return Answer(prompt if schema is None else simplest(schema, prompt))

    async def close(self) -> None:
        """Do nothing: nothing is kept between tasks."""


def simplest(schema: Any, text: str) -> Any:
    """Return the simplest value of a JSON Schema: yes, zero, an empty list, and everywhere else a text.

    Args:
        schema: The schema.
        text: What texts are.
    """
    if not isinstance(schema, Mapping):
        return text
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object" or "properties" in schema:
        fields = schema.get("properties", {})
        return {name: simplest(fields.get(name), text) for name in schema.get("required", [*fields])}
    if kind == "array":
        return [simplest(schema.get("items"), text) for _ in range(schema.get("minItems", 0))]
    if kind in {"number", "integer"}:
        return schema.get("minimum", 0)
    return {"boolean": True, "null": None}.get(str(kind), text)
