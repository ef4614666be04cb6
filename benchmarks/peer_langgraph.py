"""LangGraph's graphs with its SQLite saver: `PYTHON benchmarks/peer_langgraph.py WORKLOAD N FOLDER`.

They run with `durability="sync"`. Run by `measure.py --peers langgraph` with the interpreter of another
environment, in which `langgraph` and `langgraph-checkpoint-sqlite` are installed. A chain is one node that
goes back to itself: its cheapest form.
"""

import asyncio
import operator
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypedDict

from peers import imported
from stopwatch import PAD, RUN_STEPS, Measure, Sample, StepLog, Stopwatch, report

graphs: Any = imported("langgraph.graph")
types: Any = imported("langgraph.types")
savers: Any = imported("langgraph.checkpoint.sqlite.aio", "langgraph-checkpoint-sqlite")


class State(TypedDict, total=False):
    """What the nodes share."""

    i: int
    end: int
    pad: str
    got: Annotated[list[int], operator.add]
    total: int


def _chain(log: StepLog | None = None) -> Any:
    async def step(state: State) -> dict[str, Any]:
        if log is not None:
            log.begin(state["i"])
        return {"i": state["i"] + 1}

    graph = graphs.StateGraph(State)
    graph.add_node("step", step)
    graph.add_edge(graphs.START, "step")
    graph.add_conditional_edges(
        "step", lambda state: "step" if state["i"] < state["end"] else graphs.END, ["step", graphs.END]
    )
    return graph


def _fan() -> Any:
    async def work(state: State) -> dict[str, Any]:
        return {"got": [state["i"]]}

    async def add(state: State) -> dict[str, Any]:
        return {"total": sum(state["got"])}

    def branches(state: State) -> list[Any]:
        return [types.Send("work", {"i": number}) for number in range(state["end"])]

    graph = graphs.StateGraph(State)
    graph.add_node("work", work)
    graph.add_node("add", add)
    graph.add_conditional_edges(graphs.START, branches, ["work"])
    graph.add_edge("work", "add")
    graph.add_edge("add", graphs.END)
    return graph


def _call(app: Any, start: Any, thread: str = "t") -> Awaitable[Any]:
    config = {"configurable": {"thread_id": thread}, "recursion_limit": 1_000_000}
    called: Awaitable[Any] = app.ainvoke(start, config, durability="sync")
    return called


def _timed(graph: Callable[[], Any], work: Callable[[Any, int], Awaitable[Any]]) -> Measure:
    async def inside(n: int, folder: Path) -> Sample:
        async with savers.AsyncSqliteSaver.from_conn_string(str(folder / "langgraph.db")) as saver:
            await saver.setup()
            app = graph().compile(checkpointer=saver)
            with Stopwatch() as watch:
                await work(app, n)
            return watch.sample()

    return lambda n, folder: asyncio.run(inside(n, folder))


async def _runs(app: Any, n: int) -> None:
    await asyncio.gather(*(_call(app, {"i": 0, "end": RUN_STEPS}, f"t{number}") for number in range(n)))


async def _going_on(folder: Path, start: Any, log: StepLog) -> Sample:
    async with savers.AsyncSqliteSaver.from_conn_string(str(folder / "langgraph.db")) as saver:
        await saver.setup()
        called = time.time()
        await _call(_chain(log).compile(checkpointer=saver), start)
    return log.resumed(called)


if __name__ == "__main__":
    report(
        {
            "chain": _timed(_chain, lambda app, n: _call(app, {"i": 0, "end": n})),
            "fan": _timed(_fan, lambda app, n: _call(app, {"end": n, "got": []})),
            "runs": _timed(_chain, _runs),
            "loop": _timed(_chain, lambda app, n: _call(app, {"i": 0, "end": n, "pad": PAD})),
            "crash": lambda n, folder: asyncio.run(
                _going_on(folder, {"i": 0, "end": n}, StepLog(folder, kill_at=n // 2))
            ),
            "resume": lambda _n, folder: asyncio.run(_going_on(folder, None, StepLog(folder))),
        }
    )
