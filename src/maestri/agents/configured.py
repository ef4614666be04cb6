"""The agents that a file defines: a request brings its back end along, so that the run has all of it.

| back end | what answers |
|---|---|
| `run` | a command; the prompt arrives on its standard input, its output is the answer |
| `call` | a function of Python that takes the prompt |
| `scripted` | a fixed answer, or one by a glob over paths: for trying a workflow without models or money |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from maestri.agents.python import PythonAgent
from maestri.agents.shell import Isolated, ShellAgent
from maestri.errors import AgentUnavailable, InputInvalid
from maestri.kernel.isolation import FOLDER, REQUEST, refuse_isolation
from maestri.kernel.ports import Answer, Attempt, Task


class ConfiguredAgent:
    """Performs tasks whose request has a `backend`: `{"kind": "run", "command": …}` and its like."""

    isolates: Final = True

    def __init__(self, isolated: Isolated | None = None) -> None:
        """Begin with nothing started; `isolated` runs the commands of requests that ask for a sandbox."""
        self._shell = ShellAgent(isolated=isolated)
        self._python = PythonAgent()

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        """Have the back end answer.

        Raises:
            AgentUnavailable: There is no such back end.
            SandboxUnsupported: It is to be in a sandbox, and is a function of this process.
            InputInvalid: A scripted agent has no answer for this path.
            RunError: The back end failed.
        """
        backend = task.request["backend"]
        kind, prompt = backend.get("kind"), prompt_of(task.request)
        if kind == "run":
            request = {key: backend[key] for key in ("command", "output") if key in backend}
            request |= {key: task.request[key] for key in ("cwd", REQUEST, FOLDER) if key in task.request}
            variables = {**backend.get("env", {}), **_environment(task.request)}
            asked = task._replace(agent="run", request={**request, "env": variables, "stdin": prompt})
            return await self._shell.perform(asked, attempt)
        if kind == "call":
            refuse_isolation(task.request, "a function is called in the process of Maestri")
            request = {"function": backend["function"], "args": [prompt]}
            return await self._python.perform(task._replace(agent="call", request=request), attempt)
        if kind == "scripted":
            return Answer(_scripted(backend, attempt.path))
        message = f"there is no back end `{kind}`"
        raise AgentUnavailable(message, fix="use `run`, `call` or `scripted`")

    async def close(self) -> None:
        """End what still runs."""
        await self._shell.close()


def prompt_of(request: Mapping[str, Any]) -> str:
    """Return what an agent reads: its instructions, what it is asked, and what its answer must be."""
    parts = [request["backend"].get("instructions", ""), request["prompt"]]
    if request.get("reads"):
        parts.append("Read these files first:\n" + "\n".join(f"- {file}" for file in request["reads"]))
    if request.get("returns") is not None:
        schema = json.dumps(request["returns"], ensure_ascii=False)
        parts.append(f"Answer with JSON and nothing else, by this JSON Schema:\n{schema}")
    return "\n\n".join(part for part in parts if part)


def _environment(request: Mapping[str, Any]) -> dict[str, str]:
    names = {"tier": "MAESTRI_TIER", "model": "MAESTRI_MODEL"}
    return {name: str(request[key]) for key, name in names.items() if request.get(key)}


def _scripted(backend: Mapping[str, Any], path: str) -> Any:
    if "answer" in backend:
        return backend["answer"]
    for glob, answer in backend["answers"].items():
        if fnmatchcase(path, glob):
            return answer
    message = f"the scripted agent has no answer for {path}"
    raise InputInvalid(message, fix="add the path under `answers`, or `*` for all others")
