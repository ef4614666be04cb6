"""How a project runs commands in sandboxes: loaded when a step asks for one; other runs start as fast."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from maestri.project.parts import load

SANDBOXES: Final = "maestri.sandboxes.local:LocalSandboxes"
RUN_ISOLATED: Final = "maestri.agents.isolated:run_isolated"
REFUSE: Final = "maestri.kernel.isolation:refuse_isolation"


class Isolating:
    """Runs commands in sandboxes; `unsafe` are the steps that the user lets run without."""

    def __init__(self, root: Path) -> None:
        """Take the state directory."""
        self._root = root
        self.unsafe: Sequence[str] = ()
        self._sandboxes: Any = None

    async def run(self, processes: Any, request: Mapping[str, Any], attempt: Any, order: Any) -> Any:
        """Run a command as an agent asks for it (`agents/isolated.py`).

        Raises:
            SandboxFailed: It cannot have its sandbox, or has used more than that allows.
        """
        if self._sandboxes is None:
            self._sandboxes = load(SANDBOXES)(self._root / "sandboxes", self._root, unsafe=self.unsafe)
        return await load(RUN_ISOLATED)(self._sandboxes, processes, request, attempt, order)

    def agent(self, address: str) -> Callable[[], Any]:
        """Return how to make an agent that runs commands."""
        return lambda: load(address)(isolated=self.run)


def refuse_unheard(name: str, agent: object, request: Mapping[str, Any]) -> None:
    """Refuse a request that asks for a sandbox where its agent knows of none.

    Raises:
        SandboxUnsupported: It does.
    """
    if not getattr(agent, "isolates", False):
        load(REFUSE)(request, f"the agent `{name}` knows no sandbox")
