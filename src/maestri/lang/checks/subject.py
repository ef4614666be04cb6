"""What a rule looks at: one definition with all that is known of it, and where its findings go."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from maestri.lang.findings import Findings
from maestri.lang.model import WorkflowDef, WorkflowRef
from maestri.lang.survey import Call, Survey
from maestri.records import NamedTuple


class Circle(NamedTuple):
    """Workflows that call each other without end: the first call, and the names on the way round."""

    call: Call
    names: tuple[str, ...]


class Subject(NamedTuple):
    """One definition that is checked.

    `absent` has, for each reference to another workflow, what to write instead; empty where it is there.
    `outer` is the definition whose `workflows:` holds this one. `doubles` has, for each reference, the files
    of one folder that have its name where there are several.
    """

    definition: WorkflowDef
    survey: Survey
    findings: Findings
    known_agents: Collection[str] = ()
    absent: Mapping[WorkflowRef, str] = {}
    circles: Collection[Circle] = ()
    outer: WorkflowDef | None = None
    doubles: Mapping[WorkflowRef, str] = {}
