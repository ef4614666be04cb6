"""Files of other systems among the definitions of a project: read when a file is no workflow of ours.

Rule: a run keeps what its file had become, so that a resume does not depend on how files are imported then.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maestri.errors import DefinitionError, Diagnostic
from maestri.project.parts import load, part
from maestri.values import Json

if TYPE_CHECKING:
    from maestri.importers.importing import Imported
    from maestri.lang.load import Loaded
    from maestri.lang.source import Source

_IMPORTING = "maestri.importers.importing:"
_SETTING = "maestri.project.configuration:setting"
VARIABLE = "MAESTRI_DEFAULT_AGENT"


class Foreign:
    """Reads files of other systems for a library; `findings` are the warnings about them so far."""

    def __init__(self, known_agents: frozenset[str], default_agent: str = "", dialect: str = "") -> None:
        """Import nothing yet.

        Args:
            known_agents: The agents that are configured.
            default_agent: Who answers for the others; without it, whom `$MAESTRI_DEFAULT_AGENT` or the
                configuration names.
            dialect: The system that the first file is of; by recognition without it.
        """
        self.findings: list[Diagnostic] = []
        self._default_agent = default_agent or os.environ.get(VARIABLE, "")
        self._known_agents = known_agents
        self._dialect = dialect
        self._first: str | None = None
        self._made: dict[str, Json] = {}

    def __call__(self, path: str, loaded: Loaded) -> Loaded | None:
        """Return a file of another system as a workflow; None where it is of none."""
        if self._first is None:
            self._first = path
        dialect = self._dialect if path == self._first else ""
        is_ours = loaded.tree is not None and loaded.tree.get("steps") is not None
        if (is_ours and not dialect) or not loaded.source.text:
            return None
        known: Any = self._made.get(path)
        if known is None:
            found = self.imported(loaded.source, dialect)
            if found is None:
                return None
            self.findings += found.findings
            findings = found.findings
            known = self._made[path] = {"dialect": found.dialect, "text": found.text, "lines": [*found.lines]}
        else:
            findings = []
        made: Loaded = load(_IMPORTING + "as_loaded")(known["text"], known["lines"], loaded.source, findings)
        return made

    def imported(self, source: Source, dialect: str = "") -> Imported | None:
        """Return what a text of another system becomes; None where it is of none.

        Raises:
            DefinitionError: The configuration is wrong.
        """
        default = self._default_agent or load(_SETTING)("default_agent", str(Path.cwd()), os.environ)
        settings = load("maestri.importers.scribe:Settings")(default, self._known_agents)
        found: Imported | None = load(_IMPORTING + "imported")(source, settings, dialect or self._dialect)
        return found

    def record(self) -> dict[str, Json]:
        """Return what the files of a run have become, by their paths."""
        return dict(self._made)

    def recall(self, record: Mapping[str, Any]) -> None:
        """Take what files had become when a run was started with them."""
        self._made = dict(record)


def import_file(target: str, default_agent: str, dialect: str = "") -> tuple[str, list[Diagnostic]]:
    """Return a file of another system as a text of ours, and the warnings about it.

    Args:
        target: The file.
        default_agent: Who answers for the agents that it names.
        dialect: The system that it is of; by recognition without it.

    Raises:
        DefinitionError: It cannot be read, is of no known system, or something in it has no meaning here.
    """
    loaded: Loaded = load("maestri.lang.load:read_file")(target, target)
    if not loaded.source.text:
        raise DefinitionError(loaded.diagnostics)
    # Whoever answers by default is known: the file that is made is checked where it will be used.
    agents = frozenset({"run", "call", "echo", default_agent})
    foreign = Foreign(agents, default_agent, dialect)
    found = foreign.imported(loaded.source, dialect)
    if found is None:
        said = loaded.diagnostics if loaded.tree is None else []
        raise DefinitionError(said or [load(_IMPORTING + "unrecognised")(loaded.source)])
    library = part("library")(part("patterns")(), agents, None, None, foreign)
    definition, findings = library.open(target, target)
    findings = findings if definition is None else library.check(definition)
    if any(one.severity == "error" for one in findings):
        raise DefinitionError(findings)
    return found.text, found.findings
