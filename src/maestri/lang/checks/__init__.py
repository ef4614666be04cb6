"""The rules that a definition must keep: one file each, in no order that matters.

A rule is a function that takes a `Subject` and adds what it finds to `subject.findings`. It changes nothing
else, runs no code of the user, and never raises on any definition.

| code | finding | rule |
|---|---|---|
| L210 | a name that nothing has | names |
| L211 | a step that cannot have run yet | names |
| L212 | an input that is not declared | inputs |
| L213 | a name that is taken: `inputs`, a word of expressions | reserved |
| L214 | names that differ only in small and capital letters | alike |
| L215 | a need that is no other step of the graph | needs |
| L216 | needs that go round in a circle | rounds |
| L217 | a value of a type that cannot stand there | kinds |
| L218 | an expression that is certain to fail | clashes |
| L219 | an output that may be missing | missing |
| L220 | an expression in a text for the shell | shell |
| L221 | a name of a step that the shell would take for its own | shell |
| L222 | an arm that can never be taken | arms |
| L223 | a condition that is always the same | constants |
| L224 | a workflow that is not there | targets |
| L225 | inputs of a call that do not fit | calls |
| L226 | workflows that call each other without end | recursion |
| L227 | a join of more than there is | joins |
| L228 | an unknown agent | agents |
| L229 | an address of a function that cannot be one | addresses |
| L230 | more findings than are shown | (`findings.py`) |
| L231 | a loop that does not say when it ends | endless |
| L232 | an expression in the braces of other systems | braces |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from maestri.lang.checks.addresses import check_addresses
from maestri.lang.checks.agents import check_agents
from maestri.lang.checks.alike import check_alike
from maestri.lang.checks.arms import check_arms
from maestri.lang.checks.braces import check_braces
from maestri.lang.checks.calls import check_calls
from maestri.lang.checks.clashes import check_clashes
from maestri.lang.checks.constants import check_constants
from maestri.lang.checks.endless import check_endless
from maestri.lang.checks.inputs import check_inputs
from maestri.lang.checks.joins import check_joins
from maestri.lang.checks.kinds import check_kinds
from maestri.lang.checks.missing import check_missing
from maestri.lang.checks.names import check_names
from maestri.lang.checks.needs import check_needs
from maestri.lang.checks.recursion import check_recursion
from maestri.lang.checks.reserved import check_reserved
from maestri.lang.checks.rounds import check_rounds
from maestri.lang.checks.shell import check_shell
from maestri.lang.checks.subject import Subject
from maestri.lang.checks.targets import check_targets

RULES: Final[tuple[Callable[[Subject], None], ...]] = (
    check_names,
    check_inputs,
    check_reserved,
    check_alike,
    check_needs,
    check_rounds,
    check_kinds,
    check_clashes,
    check_missing,
    check_shell,
    check_arms,
    check_constants,
    check_targets,
    check_calls,
    check_recursion,
    check_joins,
    check_agents,
    check_addresses,
    check_endless,
    check_braces,
)
