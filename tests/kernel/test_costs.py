"""A request that costs money: its start is stored before it is sent, whichever door it came through."""

from typing import Any

import pytest

from maestri.kernel.context import Context
from maestri.kernel.ports import Answer, Attempt, Task
from maestri.lang.compile import compile_workflow
from maestri.lang.model import WorkflowDef, WorkflowRef
from maestri.patterns._registry import Workflow
from maestri.project import Project
from maestri.testing.play import Stage

YAML = "workflow: w\nsteps:\n  s: {agent: claude, prompt: hello}\n"
FILE = "/flow/w.yaml"


class Asked:
    """An agent that looks at what is stored when it is asked."""

    def __init__(self) -> None:
        self.stage: Stage | None = None
        self.stored: list[str] = []

    async def perform(self, task: Task, attempt: Attempt) -> Answer:
        if self.stage is not None:
            self.stored = self.stage.paths("step.started")
        return Answer(task.agent)


async def in_python(ctx: Context) -> Any:
    return await ctx.agent("s", "hello", by="claude")


async def in_yaml(ctx: Context) -> Any:
    definition, _ = Project().library().of_texts({FILE: YAML}).open(FILE, "w.yaml")
    assert definition is not None
    return await compile_workflow(definition, no_target)(ctx, {})


def no_target(ref: WorkflowRef, _inside: WorkflowDef) -> Workflow:
    raise LookupError(ref.target)


@pytest.mark.parametrize("flow", [in_python, in_yaml])
def test_the_start_of_what_costs_money_is_stored_before_it_is_sent(flow: Any) -> None:
    agent = Asked()
    agent.stage = Stage(flow, agent=agent)
    assert agent.stage.play().output == "claude"
    assert agent.stored == ["/s"]


def test_the_start_of_a_free_step_rides_with_its_record() -> None:
    agent = Asked()
    agent.stage = Stage(lambda ctx: ctx.run("s", "true"), agent=agent)
    agent.stage.play()
    assert agent.stored == []
