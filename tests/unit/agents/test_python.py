"""`call` tasks: functions of this process, in a thread or on the loop."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from maestri.agents.python import PythonAgent
from maestri.errors import AgentUnavailable, InputInvalid, NoProgress, StepFailed
from maestri.kernel.ports import Answer, Task
from maestri.testing.check_agent import Witness

Call = Callable[..., Any]
Perform = Callable[..., Answer]

MODULE = """
import threading
from maestri.errors import NoProgress

def add(a, b=0): return a + b
def where(): return threading.current_thread().name
async def where_async(): return threading.current_thread().name
def later(): return where_async()
def stops(): raise StopIteration("enough")
def leaves(): raise SystemExit(3)
async def leaves_async(): raise SystemExit(3)
def gives_up(): raise NoProgress("the same again")
def breaks(): raise ValueError("not good")

class Tool:
    @staticmethod
    def use(): return "used"

number = 3
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "called_module.py").write_text(MODULE)
    (tmp_path / "broken_module.py").write_text("import no_such_module_at_all")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("called_module", None)


@pytest.fixture
def call(performed: Perform) -> Call:
    def perform(name: Any, **rest: Any) -> Any:
        return performed(PythonAgent(), Task("python", {"function": name, **rest})).value

    return perform


def test_arguments_arrive(call: Call) -> None:
    assert call("called_module:add", args=[1], kwargs={"b": 2}) == 3


def test_a_qualified_name_is_followed(call: Call) -> None:
    assert call("called_module:Tool.use") == "used"


def test_a_function_runs_in_a_thread(call: Call) -> None:
    assert call("called_module:where") == "maestri-call"


@pytest.mark.parametrize("name", ["where_async", "later"])
def test_an_async_function_runs_on_the_loop(call: Call, name: Any) -> None:
    assert call(f"called_module:{name}") == threading.main_thread().name


def test_the_function_of_a_task_is_called(performed: Perform) -> None:
    assert performed(PythonAgent(), Task("python", {}, function=lambda: 7)).value == 7


def test_an_exception_is_a_failure_that_says_where(call: Call) -> None:
    with pytest.raises(StepFailed, match="ValueError: not good") as caught:
        call("called_module:breaks")
    assert caught.value.detail["at"].endswith("called_module.py:13")
    assert caught.value.detail["function"] == "breaks"


@pytest.mark.parametrize("name", ["stops", "leaves", "leaves_async"])
def test_an_exception_that_is_not_an_error_is_a_failure_too(call: Call, name: Any) -> None:
    with pytest.raises(StepFailed):
        call(f"called_module:{name}")


def test_a_run_error_comes_through_as_it_is(call: Call) -> None:
    with pytest.raises(NoProgress, match="the same again"):
        call("called_module:gives_up")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no_such_module_at_all:f", "`no_such_module_at_all` is not found"),
        ("called_module.inner:f", "`called_module.inner` is not found"),
        ("broken_module:f", "cannot be imported: ModuleNotFoundError"),
        ("called_module:nothing", "has no `nothing`"),
        ("called_module:number", "not a function but int"),
    ],
)
def test_a_function_that_is_not_there_is_named(call: Call, name: Any, words: str) -> None:
    with pytest.raises(AgentUnavailable, match=words) as caught:
        call(name)
    assert caught.value.fix


@pytest.mark.parametrize("name", ["called_module", ":f", "", None, 3])
def test_what_names_no_function_is_refused(call: Call, name: Any) -> None:
    with pytest.raises(InputInvalid, match="does not name a function"):
        call(name)


def test_a_cancel_drops_the_answer_of_a_thread(witness: Witness) -> None:
    gate = threading.Event()

    async def work() -> bool:
        task = Task("python", {}, function=gate.wait)
        running = asyncio.ensure_future(PythonAgent().perform(task, witness.attempt))
        await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.wait([running])
        gate.set()
        return running.cancelled()

    assert asyncio.run(work())
