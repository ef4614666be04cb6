"""A supervisor sees what was done and decides what is delegated next, until it is satisfied.

Shape:    ┌──────────────────────────────────┐
          └─ supervisor ─┬─ worker, 1st task ┤── again, until the supervisor says that it is done
                         └─ worker, 2nd task ┘
Journal:  <name>/round#n/supervisor (#2: told what was wrong with its answer), <name>/round#n/work/<worker>#k,
          one seal a round, <name>/again when it is resumed after its last round, and one seal for <name>
Cost:     a round is the supervisor and the slowest delegation
When:     what is to be done next depends on what came back, so that somebody must decide on the way
Not:      the parts are known before: `graph`; one decision is enough: `scout`
Source:   supervisor: seed document 1.5; hub-and-spoke: seed document 3.4
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Annotated, Any

from maestri.errors import DelegationInvalid, InputInvalid, SupervisionUnfinished
from maestri.kernel.context import Context
from maestri.kernel.fan import Entry, Fan
from maestri.kernel.typed import to_plain
from maestri.patterns._again import Again
from maestri.patterns._answers import as_data
from maestri.patterns._join import check_crowd, settled_failure
from maestri.patterns._registry import Binds, BoundBodies, BoundBody, Predicate, bind, pattern
from maestri.records import NamedTuple

KEPT_ROUNDS = 20  # of which a supervisor sees a line each; the last one it sees in full


class _Team(NamedTuple):
    """Who supervises whom, within which bounds."""

    supervisor: BoundBody
    workers: Mapping[str, BoundBody]
    max_concurrent: int | None
    max_delegations: int
    until: Predicate | None


class _At(NamedTuple):
    """How far it has come: the rounds and delegations since it was begun, and since it was taken up again."""

    rounds: int
    delegations: int
    left_rounds: int
    left_delegations: int


@pattern("supervise")
async def supervise(
    ctx: Context,
    name: str,
    supervisor: Annotated[BoundBody, Binds(("state", "round", "workers"))],
    workers: Annotated[BoundBodies, Binds(("task",))],
    *,
    max_rounds: int = 10,
    max_delegations: int = 50,
    max_concurrent: int | None = None,
    until: Annotated[Predicate, Binds(("state", "round"))] | None = None,
) -> dict[str, Any]:
    """Let a supervisor delegate work, round after round.

    Its answer is `{delegate: [{worker: NAME, task: …}, …], note: …}`, or `{done: true, result: …}`. One that
    cannot be carried out is given back to it once, with the reason as `state.problem`.

    Args:
        ctx: The scope that it happens in.
        name: The name of the new scope.
        supervisor: Decides, with `state`, `round` (from 1) and the names of the `workers`. The state has the
            `results` of the last round (each `worker`, `task` and `output` or `failed`) and its `note`, the
            earlier `rounds` in brief, and how many rounds and delegations are `left`.
        workers: The bodies by name, each with its `task`; all of a round run at once.
        max_rounds: The cap on rounds.
        max_delegations: The cap on delegations in all.
        max_concurrent: How many workers may run at once; no limit without it.
        until: Ends it after a round although the supervisor did not; with the `state` after the `round`.

    Returns:
        The `result`, and how many `rounds` and `delegations` it took. Where `until` has ended it, the results
        of the last round are the result.

    Raises:
        SupervisionUnfinished: A cap was reached.
        DelegationInvalid: An answer could not be carried out, also after the supervisor was told why.
        InputInvalid: There is no worker, or a number is too small.
    """
    team = _Team(supervisor, workers, max_concurrent, max_delegations, until)
    try:
        check_crowd(len(workers), "settled", max_concurrent)
        _check(workers, max_rounds, max_delegations)
    except InputInvalid as error:
        return await ctx.refuse(name, error)  # type: ignore[no-any-return]

    async def inside(scope: Context) -> dict[str, Any]:
        again = Again(scope)
        state: dict[str, Any] = {"results": [], "note": None, "rounds": []}
        delegations = base_rounds = base_delegations = 0
        for number in count(1):
            at = _At(
                number,
                delegations,
                max_rounds - number + 1 + base_rounds,
                max_delegations - delegations + base_delegations,
            )
            answer = await scope.scope("round", bind(_round, team, state, at))
            if "capped" in answer or (not answer["done"] and at.left_rounds <= 1):
                failure = _unfinished(answer.get("capped"), at, max_rounds, max_delegations, again)
                if not await again.is_due(failure):
                    raise failure
                base_rounds, base_delegations = number, delegations
            if answer["done"]:
                return {"result": answer["result"], "rounds": number, "delegations": answer["delegations"]}
            delegations, state = answer["delegations"], _after(state, answer, number)
        raise AssertionError

    return await ctx.scope(name, inside, pattern="supervise", total=max_rounds)


def _check(workers: Mapping[str, BoundBody], max_rounds: int, max_delegations: int) -> None:
    """Refuse what nobody could carry out.

    Raises:
        InputInvalid: Says what.
    """
    if not workers:
        raise InputInvalid("there is no worker", fix="add one under `workers`")
    if max_rounds < 1 or max_delegations < 1:
        raise InputInvalid("`max_rounds` and `max_delegations` count from 1", fix="give larger numbers")


def _after(state: Mapping[str, Any], answer: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return what the supervisor sees next: the round in full, those before it in brief, the oldest not."""
    if "capped" in answer:
        return dict(state)
    brief = {
        "round": number,
        "note": answer["note"],
        "delegated": [{"worker": one["worker"], "failed": "failed" in one} for one in answer["results"]],
    }
    rounds = [*state["rounds"], brief][-KEPT_ROUNDS:]
    return {"results": answer["results"], "note": answer["note"], "rounds": rounds}


async def _round(scope: Context, team: _Team, state: dict[str, Any], at: _At) -> dict[str, Any]:
    """Ask the supervisor, and do what it delegates."""
    left = {"rounds": at.left_rounds, "delegations": at.left_delegations}
    answer = await _decided(scope, team, {**state, "left": left, "problem": None}, at.rounds)
    if answer.get("done"):
        return {"done": True, "result": answer.get("result"), "delegations": at.delegations}
    wanted = answer["delegate"]
    if len(wanted) > at.left_delegations:
        # Nothing of it is begun: what was asked for would not fit as a whole.
        return {"done": False, "capped": len(wanted), "delegations": at.delegations}

    async def work(inner: Context) -> list[dict[str, Any]]:
        return await _delegated(inner, team, wanted)

    results = await scope.scope("work", work)
    found = {
        "done": False,
        "results": results,
        "note": answer.get("note"),
        "delegations": at.delegations + len(wanted),
    }
    if team.until is not None and team.until(scope, _after(state, found, at.rounds), at.rounds):
        return {"done": True, "result": results, "delegations": found["delegations"]}
    return found


async def _decided(scope: Context, team: _Team, state: dict[str, Any], number: int) -> dict[str, Any]:
    """Return the supervisor's answer; one that cannot be carried out it may correct once.

    Raises:
        DelegationInvalid: It did not.
    """
    again, names = Again(scope), list(team.workers)
    problem = None
    while True:
        for _ in range(2):
            body = bind(team.supervisor, {**state, "problem": problem}, number, names)
            answer: Any = as_data(to_plain(await scope.scope("supervisor", body)))
            problem = _problem(answer, names)
            if not problem:
                return answer  # type: ignore[no-any-return]
        shape = "`{delegate: [{worker: NAME, task: …}]}` or `{done: true, result: …}`"
        failure = DelegationInvalid(
            f"the supervisor's answer cannot be carried out: {problem}",
            cause=f"it was told so once, and then gave {answer!r:.200}",
            fix=f"let it give {shape}; then resume the run: it is asked again",
            detail=again.detail(answer=answer),
        )
        if not await again.is_due(failure):
            raise failure


def _problem(answer: Any, workers: list[str]) -> str:
    """Return what keeps an answer from being carried out; an empty text where nothing does."""
    if not isinstance(answer, dict):
        return "it is no mapping"
    done, delegate = answer.get("done", False), answer.get("delegate")
    if not isinstance(done, bool):
        return "`done` is neither true nor false"
    if done:
        return "it is done and delegates at the same time" if delegate else ""
    if not isinstance(delegate, list) or not delegate:
        return "it neither delegates anything nor says that it is done"
    for place, one in enumerate(delegate, 1):
        worker = one.get("worker") if isinstance(one, dict) else None
        if not isinstance(worker, str):
            return f"delegation {place} names no worker"
        if worker not in workers:
            return f"there is no worker `{worker[:80]}`; there are: {', '.join(workers)}"
    return ""


async def _delegated(scope: Context, team: _Team, wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Have tasks done at once; return what became of each, in the order in which they were delegated."""
    numbers: dict[str, int] = {}
    places: list[tuple[str, int]] = []
    for one in wanted:
        worker = one["worker"]
        numbers[worker] = numbers.get(worker, 0) + 1
        places.append((worker, numbers[worker]))
    found: dict[tuple[str, int], dict[str, Any]] = {}
    async with Fan(scope, team.max_concurrent) as fan:
        fan.feed(
            Entry(worker, number, bind(team.workers[worker], one.get("task")))
            for (worker, number), one in zip(places, wanted, strict=True)
        )
        async for settled in fan:
            given: dict[str, Any] = {"output": to_plain(settled.value)}
            if settled.error is not None:
                given = settled_failure(settled.error)
            found[settled.name, settled.number] = given
    return [
        {"worker": one["worker"], "task": one.get("task"), **found[place]}
        for place, one in zip(places, wanted, strict=True)
    ]


def _unfinished(
    wanted: int | None, at: _At, max_rounds: int, max_delegations: int, again: Again
) -> SupervisionUnfinished:
    message = f"the supervisor was not done after {max_rounds} rounds"
    cause, option = f"it has delegated {at.delegations} tasks", "max_rounds"
    if wanted is not None:
        message = f"the supervisor wants to delegate more than {max_delegations} tasks"
        cause = f"it has delegated {at.delegations}, and now asks for {wanted} more; none of these was begun"
        option = "max_delegations"
    fix = f"resume the run for as many again; or raise `{option}`"
    return SupervisionUnfinished(
        message, cause=cause, fix=fix, detail=again.detail(delegations=at.delegations)
    )
