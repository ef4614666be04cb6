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
| L240 | a contest of one | contests |
| L241 | a vote that asks for more than there are | quorums |
| L242 | a judge without criteria | criteria |
| L243 | progress of one round | progress |
| L244 | a kind of failure that is none | handled |
| L250 | an `undo` that nobody would run | undos |
| L251 | a `sync` that stands in no stream | meetings |
| L252 | a sync point that one stream alone names | meetings |
| L253 | sync points that wait for each other | meetings |
| L254 | a sync point that a stream comes to twice | meetings |
| L255 | a meeting that cannot be tried again | meetings |
| L256 | a review that asks for more than there are | policies |
| L257 | an option of a phase that does nothing | gates |
| L258 | a saga that undoes nothing | undos |
| L260 | a listening that never ends | listeners |
| L261 | a handler with a name that is taken | listeners |
| L262 | a branch that cannot be landed | landings |
| L263 | an `on_timeout` that does nothing | waits |
| L264 | a question with options and a schema | waits |
| L265 | a default that could not be the answer | waits |
| L266 | a name that one folder has twice | targets |
| L273 | an output that cannot be kept for other runs | caches |
| L274 | a value of `memory` that nobody has written | memories |
| L275 | a path that leads out of the run's folder | paths |
| L276 | a file that may not be delivered yet | deliveries |
| L277 | a property that does nothing | idle |
| L340 | claims that nobody would hold | isolation |
| L341 | a workspace of a step that works in no files | isolation |
| L342 | a workspace of a step that may not be done | isolation |
| L343 | a workspace inside of another one | isolation |
| L344 | files that two steps may change at once | overlaps |
| L350 | a sandbox that cannot be understood | (`read_sandbox.py`) |
| L351 | a step that cannot be put into a sandbox | sandboxes |
| L352 | a sandbox around nothing | sandboxes |
| L360 | a landing of nothing | landings |
| L361 | an option of a landing that does nothing | landings |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from maestri.lang.checks.addresses import check_addresses
from maestri.lang.checks.agents import check_agents
from maestri.lang.checks.alike import check_alike
from maestri.lang.checks.arms import check_arms
from maestri.lang.checks.braces import check_braces
from maestri.lang.checks.caches import check_caches
from maestri.lang.checks.calls import check_calls
from maestri.lang.checks.clashes import check_clashes
from maestri.lang.checks.constants import check_constants
from maestri.lang.checks.contests import check_contests
from maestri.lang.checks.criteria import check_criteria
from maestri.lang.checks.deliveries import check_deliveries
from maestri.lang.checks.endless import check_endless
from maestri.lang.checks.groups import check_groups
from maestri.lang.checks.handled import check_handled
from maestri.lang.checks.idle import check_idle
from maestri.lang.checks.inputs import check_inputs
from maestri.lang.checks.joins import check_joins
from maestri.lang.checks.kinds import check_kinds
from maestri.lang.checks.memories import check_memories
from maestri.lang.checks.missing import check_missing
from maestri.lang.checks.names import check_names
from maestri.lang.checks.needs import check_needs
from maestri.lang.checks.paths import check_paths
from maestri.lang.checks.progress import check_progress
from maestri.lang.checks.quorums import check_quorums
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
    check_caches,
    check_memories,
    check_paths,
    check_deliveries,
    check_idle,
    check_contests,
    check_quorums,
    check_criteria,
    check_progress,
    check_handled,
    check_groups,
)
