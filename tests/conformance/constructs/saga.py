"""`saga`: steps in order, undone in reverse order when one fails."""

from typing import Any

from tests.conformance.case import Case

from maestri.errors import ExitFailed, SagaUndone
from maestri.kernel.context import Context
from maestri.kernel.ports import Attempt, Task
from maestri.patterns import saga, sequence
from maestri.patterns._registry import Undoable

YAML = """
it:
  saga:
    steps:
      book: {run: book, output: json, undo: {run: cancel, env: {ID: "${default(output, 0)}"}}}
      skipped: {when: "${book > 100}", run: never, undo: {run: never}}
      pay:
        steps:
          charge: {run: charge, env: {ID: "${book}"}}
          note: {run: note}
        undo:
          steps:
            look: {run: look, env: {ID: "${book}"}}
            refund: {run: refund}
      tell: {run: tell, env: {PAID: "${pay}"}}
"""


def step(body: Any) -> Any:
    body.is_one_step = True
    return body


async def undo(ctx: Context, _output: Any, done: Any) -> Any:
    await ctx.run("look", "look", env={"ID": str(done["book"])})
    return await ctx.run("refund", "refund")


async def python(ctx: Context) -> Any:
    async def pay(scope: Context, done: Any) -> Any:
        async def inside(inner: Context) -> Any:
            await inner.run("charge", "charge", env={"ID": str(done["book"])})
            return await inner.run("note", "note")

        return await sequence(scope, "pay", inside)

    def cancel(scope: Context, output: Any, _done: Any) -> Any:
        return scope.run("cancel", "cancel", env={"ID": str(output or 0)})

    steps = {
        "book": Undoable(step(lambda c, _: c.run("book", "book", output="json")), step(cancel)),
        "skipped": Undoable(
            step(lambda c, _: c.run("never", "never")),
            step(lambda c, *_: c.run("never", "never")),
            lambda done: done["book"] > 100,
        ),
        "pay": Undoable(step(pay), undo),
        "tell": Undoable(step(lambda c, done: c.run("tell", "tell", env={"PAID": done["pay"]}))),
    }
    return await saga(ctx, "it", steps)


def fails(_task: Task, _attempt: Attempt) -> Any:
    """Return a new error each time: it gets the path of its step."""
    return ExitFailed("it ended with exit code 1", fix="mend it")


CASE = Case(
    keyword="saga",
    yaml=YAML,
    python=python,
    answers={"/it/book": 17, "/it/*": "done"},
    output="done",
    hole="it: {saga: {steps: {a: {run: a, undo: {run: b}}, c: {steps: {d: BODY}}}}}",
    failures={
        "the first step": ({"/it/book": fails}, SagaUndone.code),
        "a part of a step": ({"/it/pay/note": fails}, SagaUndone.code),
        "the last step": ({"/it/tell": fails}, SagaUndone.code),
    },
    is_ordered=True,
)
