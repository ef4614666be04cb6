"""Compiles a step with a workspace to a call of `in_workspace`, with the step itself inside.

Rule: what it builds on is what stands before it, or what it needs; that is known from the definition, and not
from what happens to be done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from maestri.kernel.context import Context
from maestri.lang.compile import Unit, bound_body
from maestri.lang.compile_checked import files
from maestri.lang.frames import Frame
from maestri.lang.model import BodyDef, Properties, StepDef
from maestri.patterns.in_workspace import in_workspace
from maestri.values import Json

DIRECTORY = "dir"


def workspace_step(
    unit: Unit, step: StepDef, properties: Properties, frame: Frame
) -> Callable[[Context], Awaitable[Json]]:
    """Return the call that a step in a workspace makes.

    Raises:
        InputInvalid: A claim has no value.
    """
    own = properties._replace(workspace="none", claims=(), on_stray="fail")
    inner = step._replace(when=None, properties=own)
    body = bound_body(unit, BodyDef((inner,), step.span, is_single=True, binds=(DIRECTORY,)), frame)
    options: dict[str, Any] = {
        "workspace": properties.workspace,
        "claims": files(unit, properties.claims, frame),
        "on_stray": properties.on_stray,
        "after": frame.builds_on(),
        "dir_": frame.folder,
        "source": step.source(unit.definition.source),
    }
    return lambda ctx: in_workspace(ctx, step.name, body, **options)
