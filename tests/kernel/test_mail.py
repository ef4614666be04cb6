"""What comes in from outside is not trusted, is not lost, and does not hide what comes behind it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from maestri.engines.sqlite.engine import SqliteEngine
from maestri.engines.statedir import StateDir
from maestri.errors import EngineError, UsageError
from maestri.kernel import mail
from maestri.kernel.context import Context
from maestri.kernel.ports import Message
from maestri.testing.play import RUN_ID, Stage


async def waits(ctx: Context) -> Any:
    return await ctx.signal("go")


def refusals(stage: Stage) -> list[str]:
    return [e.body["refused"] for e in stage.events if "refused" in e.body]


BAD: list[tuple[str, dict[str, Any]]] = [
    ("skip", {"path": ["x"]}),
    ("retry", {}),
    ("accept", {"path": "/a b"}),
    ("accept", {"path": "/a", "output": float("nan")}),
    ("cancel", {"path": 7}),
    ("signal", {}),
    ("signal", {"name": "go", "value": float("nan")}),
    ("answer", {"path": "/a#0"}),
    ("banana", {"path": "/go", "verb": "accept", "id": 7}),
]


@pytest.mark.parametrize(("verb", "data"), BAD)
def test_a_message_that_is_not_what_its_verb_asks_for_is_refused_on_record(verb: str, data: Any) -> None:
    stage = Stage(waits)
    stage.play()
    stage.engine.post(RUN_ID, Message("bad", verb, data))
    stage.engine.post(RUN_ID, Message("good", "signal", {"name": "go", "value": 1}))
    assert stage.resume().output == 1
    assert len(refusals(stage)) == 1


def test_a_refused_message_is_taken_once_and_changes_nothing() -> None:
    stage = Stage(waits)
    stage.play()
    stage.engine.post(RUN_ID, Message("bad", "skip", {"path": "/go", "verb": "accept", "seq": 1}))
    assert [stage.resume().status for _ in range(3)] == ["waiting"] * 3
    directed = [e.body for e in stage.events if e.kind_name == "run.directed"]
    assert directed[0] == {"verb": "skip", "path": "/go", "id": "bad"}
    assert [body.get("void") for body in directed] == [None, True]


def test_a_path_in_a_message_is_read_as_a_user_would_type_it() -> None:
    assert mail.read(Message("m", "answer", {"path": "a/b#1/", "value": 1})).key == "answer:/a/b"


def test_a_message_without_a_verb_that_is_known_names_those_that_are() -> None:
    with pytest.raises(UsageError) as caught:
        mail.read(Message("m", "stop", {}))
    assert "accept" in caught.value.fix


def test_an_engine_that_breaks_while_a_message_is_taken_fails_the_wait_and_leaves_the_run_as_it_was() -> None:
    def full(_message: Message, _event: Any) -> Any:
        message = "disk full"
        raise EngineError(message)

    async def scenario() -> None:
        execution = await stage.start()
        execution.core.journal.take = full  # type: ignore[method-assign,assignment]
        stage.post("signal", name="go")
        await execution.wait()

    stage = Stage(waits)
    with pytest.raises(EngineError, match="disk full"):
        asyncio.run(scenario())
    assert stage.paths("step.cancelled", "run.cancelled") == []
    assert stage.resume().status == "succeeded"


def test_a_cancel_that_comes_when_the_run_has_ended_does_not_cancel_the_next_resume() -> None:
    mended: list[bool] = []

    async def flow(ctx: Context) -> Any:
        return await ctx.step("s", lambda: 1 if mended else 1 / 0)

    stage = Stage(flow)
    stage.play()
    stage.post("cancel", by="late")
    mended.append(True)
    assert stage.resume().status == "succeeded"
    stale = [e.body for e in stage.events if e.kind_name == "run.cancel-requested"]
    assert stale == [{"path": "/", "id": "message-0001", "stale": True, "by": "late"}]


@pytest.mark.parametrize(("verb", "status"), [("signal", "succeeded"), ("cancel", "cancelled")])
def test_messages_that_nobody_waits_for_do_not_hide_a_later_one(
    verb: str, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maestri.engines.sqlite.mailbox._AT_ONCE", 3)
    data = {"name": "go"} if verb == "signal" else {}
    assert asyncio.run(flooded(tmp_path / "state", verb, data)) == status


async def flooded(folder: Path, verb: str, data: dict[str, str]) -> str:
    stage = Stage(waits, engine=SqliteEngine(StateDir(folder)))
    await (await stage.start()).wait()
    for number in range(10):
        stage.engine.post(RUN_ID, Message(f"flood-{number}", "signal", {"name": "nobody"}))
    stage.engine.post(RUN_ID, Message("wanted", verb, data))
    status = (await (await stage.restart()).wait()).status
    await stage.engine.close()
    return status


def test_a_message_left_there_is_looked_at_again_once_somebody_waits_for_it() -> None:
    async def flow(ctx: Context) -> Any:
        first = await ctx.signal("first")
        return [first, await ctx.signal("second")]

    stage = Stage(flow)
    stage.play()
    stage.post("signal", name="second", value=2)
    stage.post("signal", name="first", value=1)
    assert stage.resume().output == [1, 2]
