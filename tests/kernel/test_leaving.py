"""Code that tries to leave, like `sys.exit`, fails the run; an interrupt from outside passes through."""

import asyncio
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from maestri.kernel.attempts import is_of_workflow
from maestri.kernel.context import Context
from maestri.testing.play import Stage


def leave() -> NoReturn:
    sys.exit(0)


def interrupt() -> NoReturn:
    raise KeyboardInterrupt


def close() -> NoReturn:
    raise GeneratorExit


@pytest.mark.parametrize("act", [leave, interrupt, close])
@pytest.mark.parametrize("place", ["body", "scope", "step"])
def test_code_that_leaves_has_failed(act: Callable[[], NoReturn], place: str) -> None:
    async def flow(ctx: Context) -> Any:
        async def inner(_: Any = None) -> Any:
            return act()

        if place == "step":
            return await ctx.step("s", inner)
        return await (inner() if place == "body" else ctx.scope("in", inner))

    failure = Stage(flow).play().failure
    assert failure is not None
    assert failure.code == "S100"
    assert failure.message.startswith(("SystemExit", "KeyboardInterrupt", "GeneratorExit"))


def test_the_end_of_a_coroutine_that_nobody_awaits_is_no_failure_of_its_code() -> None:
    caught: list[BaseException] = []

    async def waits() -> None:
        try:
            await asyncio.sleep(1)
        except BaseException as error:
            caught.append(error)
            raise

    async def flow() -> None:
        started = waits()
        started.send(None)
        started.close()

    asyncio.run(flow())
    assert [is_of_workflow(error) for error in caught] == [False]


def test_a_signal_is_no_failure_of_the_code_that_it_comes_upon() -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        signal.raise_signal(signal.SIGINT)
    assert not is_of_workflow(caught.value)
