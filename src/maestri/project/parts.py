"""What there is to put together, by name: loaded when it is first needed, so that looking starts fast."""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import Any, Final

_PARTS: Final = {
    "engine": "maestri.engines.sqlite.engine:SqliteEngine",
    "catalog": "maestri.engines.sqlite.catalog:Catalog",
    "examine": "maestri.engines.sqlite.examine:examine",
    "reader": "maestri.engines.sqlite.reader:RunReader",
    "changes": "maestri.lang.changes:changes",
    "declared": "maestri.project.places:declared",
    "inputs": "maestri.lang.inputs:checked",
    "library": "maestri.lang.definitions:Library",
    "shelves": "maestri.lang.shelves:Shelves",
    "folders": "maestri.project.folders:folders",
    "foreign": "maestri.project.foreign:Foreign",
    "python": "maestri.project.python_files:load",
    "yaml": "maestri.project.yaml_files:load",
    "patterns": "maestri.project.patterns:Patterns",
    "recorded": "maestri.project.yaml_files:recorded",
    "doing": "maestri.project.doing:Doing",
}

# An agent by the name that tasks use; without arguments, one instance a project.
AGENTS: Final = {
    "run": "maestri.agents.shell:ShellAgent",
    "call": "maestri.agents.python:PythonAgent",
    "files": "maestri.agents.files:FilesAgent",
    "echo": "maestri.agents.echo:EchoAgent",
    "configured": "maestri.agents.configured:ConfiguredAgent",
}
CONFIGURED: Final = "configured"  # performs what brings its own back end along
CACHE: Final = "maestri.engines.cache:Cache"
CACHE_AGENT: Final = "maestri.project.caching:CacheAgent"
WORKTREES: Final = "maestri.workspaces.worktrees:Worktrees"
WORKSPACE_AGENT: Final = "maestri.workspaces.agent:WorkspaceAgent"
LANDING_AGENT: Final = "maestri.landing.agent:LandingAgent"
VERIFIED: Final = "maestri.project.caching:Verified"
STEP_MAILBOXES: Final = "maestri.engines.step_mailboxes:StepMailboxes"
TELL_SCRIPT: Final = "maestri.project.telling:tell_script"
DIRECTORY_AGENT: Final = "maestri.agents.directory:DirectoryAgent"  # for patterns; needs a place for copies


def load(address: str) -> Any:
    """Return what `module:name` names."""
    module, _, name = address.partition(":")
    return getattr(importlib.import_module(module), name)


@lru_cache(maxsize=64)
def part(name: str) -> Any:
    """Return a part by its name in the table."""
    return load(_PARTS[name])
