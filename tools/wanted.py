"""The figures that a campaign is to reach, line by line, and what it has reached of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from page import Outcome


class Wanted(NamedTuple):
    """One figure: what it is, what every change and what a night is to show, and who shows it.

    `counts` are the counts of these programs that belong to the figure; `why` says why there is no program.
    """

    figure: str
    ci: str
    nightly: str
    programs: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    why: str = ""


_NOT_BUILT = "what it would test is not built yet"

WANTED = (
    Wanted(
        "simulated runs, crashed and recovered; violations", "10,000; 0", "5,000,000; 0",
        ("simulation",), ("crashes", "violations"),
    ),
    Wanted("planted bugs that are found", "10 of 10", "30 of 30", ("planted bugs",), ("planted", "found")),
    Wanted(
        "calls to files with a fault (full, failed, busy, killed)", "every site", "every call, 20 times",
        ("I/O faults", "busy"), ("calls", "sites", "kills", "lost", "repeated", "traceback"),
    ),
    Wanted(
        "kill -9: rounds; acknowledged; lost; damaged", "50; 100,000; 0; 0", "5,000; 10,000,000; 0; 0",
        ("kill -9",), ("acknowledged", "lost", "damaged"),
    ),
    Wanted(
        "finished steps that ran again after a resume", "0", "0",
        ("kill -9", "crash at every append", "I/O faults"), ("repeated",),
    ),
    Wanted(
        "power cuts: states of a disk; lost; damaged", "1,500; 0; 0", "50,000; 0; 0",
        ("power cut",), ("states", "lost", "damaged"),
    ),
    Wanted(
        "takeovers of a run; writes of stale owners that were stored", "90; 0", "10,000; 0",
        ("lease takeovers",), ("takeovers", "refused", "stale_stored"),
    ),
    Wanted(
        "broken YAML: inputs; crashes", "100,000 and a corpus; 0", "10,000,000; 0",
        ("broken files", "broken definitions"), ("inputs", "uncaught"),
    ),
    Wanted(
        "broken expressions: inputs; uncaught", "500,000; 0", "20,000,000; 0",
        ("broken expressions",), ("inputs", "uncaught"),
    ),
    Wanted(
        "trees that try to get away, ways to die, times; survivors", "4 x 6 x 20; 0", "4 x 6 x 500; 0",
        ("trees that try to get away",), ("trees", "survivors"),
    ),
    Wanted(
        "sandbox probes that are blocked", "all", "all, as root and as a user",
        ("sandbox probes",), ("probes", "blocked"),
    ),
    Wanted("planted secrets found in a store", "0 of 100", "0 of 10,000", why=_NOT_BUILT),
    Wanted("hostile repositories; code that ran", "15; 0", "15, three versions of git; 0", why=_NOT_BUILT),
    Wanted("attacks on the server that were accepted", "0 of 60", "0 of 1,000,000", why=_NOT_BUILT),
    Wanted(
        "runs held at once; memory of each; longest append", "1,000", "10,000; 50 KB; 50 ms",
        why="`make bench` measures speed and memory",
    ),
    Wanted("growth in 24 hours: memory; files; WAL", "-", "5 %; 0; 64 MB", why="not done yet"),
)  # fmt: skip


def compared(outcomes: Sequence[Outcome]) -> str:
    """Return a table of all figures: what is wanted, and what these outcomes have reached."""
    known = {outcome.name: outcome for outcome in outcomes}
    rows = ["| figure | wanted in CI | wanted nightly | reached |", "|---|---|---|---|"]
    rows += [f"| {one.figure} | {one.ci} | {one.nightly} | {_reached(one, known)} |" for one in WANTED]
    return "\n".join(rows) + "\n"


def _reached(wanted: Wanted, known: dict[str, Outcome]) -> str:
    found = [known[name] for name in wanted.programs if name in known]
    if not found:
        return wanted.why or "not part of this campaign"
    return "; ".join(_in_words(outcome, wanted.counts) for outcome in found)


def _in_words(outcome: Outcome, names: Sequence[str]) -> str:
    if outcome.missing:
        return f"{outcome.name}: lacks {', '.join(outcome.missing)}"
    sums = {name: sum(counts[name] for counts in outcome.counts.values() if name in counts) for name in names}
    there = {name for counts in outcome.counts.values() for name in counts}
    told = [f"{name.replace('_', ' ')} {sums[name]:,}" for name in names if name in there]
    return ", ".join([f"{outcome.done:,} {outcome.unit}", *told]) + f" ({outcome.word})"
