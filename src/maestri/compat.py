"""Code that was written for an agent SDK, run durably: `Orchestrator` and its `run(prompt, agents)`.

Such code drives agents by an async generator: `async for msg in orchestrator.run(prompt, agents)`. Here each
call is a step of a real run: journaled, done once, and not done again by a resume. The functions stay as they
are; `workflow` makes one of them a workflow.

Rule: who answers is read from the prompt: `Use NAME` asks an agent of `agents`; several of them are asked at
once, each its own line, and the lead brings together what they say; no name, and the lead alone is asked.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from types import FunctionType
from typing import Any, Final

from maestri.api import workflow as as_workflow
from maestri.errors import UsageError
from maestri.kernel.body import OneStep
from maestri.kernel.context import Context
from maestri.kernel.ports import Task
from maestri.patterns.parallel import parallel

__all__ = ["Message", "Orchestrator", "workflow"]

LEAD: Final = "lead"
_USE: Final = re.compile(r"\b[Uu]se (?:the )?`?([A-Za-z][\w-]*)`?")
_FENCE: Final = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)


class Message:
    """One message of an agent: fields of a structured answer are its attributes; a text is its `result`."""

    def __init__(self, agent: str, answer: Any) -> None:
        """Take an answer.

        Args:
            agent: Who gave it.
            answer: JSON; the fields of a mapping become attributes.
        """
        self.agent = agent
        self.answer = answer
        fields = answer if isinstance(answer, Mapping) else {"result": answer}
        self.__dict__.update({name: value for name, value in fields.items() if isinstance(name, str)})

    def __repr__(self) -> str:
        return f"Message({self.agent!r}, {self.answer!r})"


class Orchestrator:
    """Asks agents for the code of a workflow; each call of `run` is a step of its run, or several at once."""

    def __init__(self, ctx: Context, *, lead: str = LEAD, default_agent: str = "") -> None:
        """Begin with no call made.

        Args:
            ctx: The context of the workflow.
            lead: The agent that is asked where a prompt names none, and that brings several together.
            default_agent: Who answers in the place of all of them, such as `echo`; without it each agent
                answers for itself, by its name.
        """
        self._ctx = ctx
        self._lead = lead
        self._default = default_agent

    async def run(self, prompt: str, agents: Mapping[str, Any] | Iterable[str]) -> AsyncIterator[Message]:
        """Ask the agents that a prompt names, and give their messages.

        Args:
            prompt: What is asked.
            agents: Who may be asked: names, or definitions by name. The `prompt` of a definition comes first;
                with a `backend` it brings along what answers, with the options that YAML has under `agents:`.

        Raises:
            RunError: An agent failed; the code may catch it, and is on record for it.
        """
        known = dict(agents) if isinstance(agents, Mapping) else dict.fromkeys(agents)
        parts = _parts(prompt, known)
        if len(parts) < 2:
            who = next(iter(parts), self._lead)
            for message in _messages(who, await self._ask(self._ctx, who, prompt, known)):
                yield message
            return
        bodies = {who: self._body(who, part, known) for who, part in parts.items()}
        found = await parallel(self._ctx, "agents", bodies)
        for who, answer in found.items():
            for message in _messages(who, answer):
                yield message
        told = "\n".join(f"- {who}: {_text(answer)}" for who, answer in found.items())
        whole = await self._ask(self._ctx, self._lead, f"{prompt}\n\nWhat they found:\n{told}", known)
        for message in _messages(self._lead, whole):
            yield message

    def _body(self, who: str, part: str, known: Mapping[str, Any]) -> OneStep[Any]:
        return OneStep(lambda ctx: self._ask(ctx, who, part, known))

    async def _ask(self, ctx: Context, who: str, prompt: str, known: Mapping[str, Any]) -> Any:
        definition = known.get(who)
        fields = definition if isinstance(definition, Mapping) else getattr(definition, "__dict__", {})
        role = definition if isinstance(definition, str) else fields.get("prompt", "")
        request: dict[str, Any] = {"prompt": f"{role}\n\n{prompt}" if role else prompt}
        request |= {key: fields[key] for key in ("model", "tier") if isinstance(fields.get(key), str)}
        if isinstance(fields.get("backend"), str):
            options = {key: value for key, value in fields.items() if key not in {"backend", "prompt"}}
            request["backend"] = {"kind": fields["backend"], **options}
        return await ctx.perform(who, Task(self._default or who, request, costs=True))


def workflow(
    function: Callable[..., AsyncIterator[Any]],
    agents: Mapping[str, Any] | Iterable[str],
    *,
    lead: str = LEAD,
    default_agent: str = "",
    name: str | None = None,
) -> Callable[..., Awaitable[list[Any]]]:
    """Return a function over an orchestrator as a workflow; its output is what the function yields.

    Args:
        function: `async def f(orchestrator, agents, ...)` that yields; its other parameters are the inputs.
        agents: Who may be asked.
        lead: The agent that is asked where a prompt names none.
        default_agent: Who answers in the place of all of them, such as `echo`.
        name: The name of the workflow; that of the function without it.

    Raises:
        UsageError: It is no function that yields.
    """
    if not inspect.isasyncgenfunction(function):
        message = f"`{getattr(function, '__name__', repr(function)[:80])}` does not yield"
        raise UsageError(message, fix="write `async def` with `yield` in it")
    kept = dict(agents) if isinstance(agents, Mapping) else dict.fromkeys(agents)

    async def run(ctx: Context, /, **inputs: Any) -> list[Any]:
        orchestrator = Orchestrator(ctx, lead=lead, default_agent=default_agent)
        given = function(orchestrator, kept, **inputs)
        return [one.answer if isinstance(one, Message) else one async for one in given]

    own = list(inspect.signature(function).parameters.values())[2:]
    first = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_ONLY)
    run.__signature__ = inspect.Signature([first, *own])  # type: ignore[attr-defined]
    # Where the code of the workflow stands; without annotations, for it gives a list of what is yielded.
    run.__wrapped__ = FunctionType(function.__code__, function.__globals__)  # type: ignore[attr-defined]
    run.__module__, run.__qualname__, run.__doc__ = (
        function.__module__,
        function.__qualname__,
        function.__doc__,
    )
    return as_workflow(name=name or function.__name__.replace("_", "-"))(run)


def _parts(prompt: str, known: Mapping[str, Any]) -> dict[str, str]:
    """Return what each agent that a prompt names is asked: its own line where several are named."""
    lines: dict[str, str] = {}
    for line in prompt.splitlines():
        for found in _USE.finditer(line):
            if found[1] in known:
                lines[found[1]] = f"{lines[found[1]]}\n{line.strip()}" if found[1] in lines else line.strip()
    return lines


def _messages(agent: str, answer: Any) -> list[Message]:
    """Return the messages of an answer: one for each item of a list of mappings."""
    data = _data(answer)
    if isinstance(data, list) and data and all(isinstance(one, Mapping) for one in data):
        return [Message(agent, one) for one in data]
    return [Message(agent, data)]


def _data(answer: Any) -> Any:
    if not isinstance(answer, str):
        return answer
    try:
        found = json.loads(_FENCE.sub(r"\1", answer))
    except (ValueError, RecursionError):
        return answer
    return found if isinstance(found, dict | list) else answer


def _text(answer: Any) -> str:
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
