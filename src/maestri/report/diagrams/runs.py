"""The shape of a run: what its journal knows, drawn on the structure of its definition where there is one.

Rule 1: a child of a shape has the name of its segment in the journal, so that the two are walked together.
Rule 2: every step is drawn; only the items of an `each` and the rounds of a `loop` are folded when there are
very many, and the drawing says how many.
"""

from __future__ import annotations

from typing import Final

from maestri.kernel import state
from maestri.kernel.path import ROOT, join, parent, split_segment
from maestri.kernel.state import StepState
from maestri.report.diagrams.shapes import COLUMN, ROW, SIDE_BY_SIDE, Shape, short
from maestri.report.outline import elapsed_s
from maestri.report.tree import Tree
from maestri.report.wording import duration, one_line

SHOWN_REPEATS: Final = 60
_REPEATED: Final = {"loop": "round", "each": "item", "review": "round"}
_TRY: Final = "try"


def of_run(tree: Tree, name: str, status: str, now: float, definition: Shape | None = None) -> Shape:
    """Return the shape of a run: its steps with their states in words.

    Args:
        tree: What the journal has.
        name: The name of the run.
        status: Its state.
        now: The time of now, in seconds since 1970; 0 for a run that is not under way.
        definition: The shape of what it executes; without it the steps that have begun are all that is drawn.
    """
    drawing = _Drawing(tree, now, is_over=status in state.ENDED)
    children = drawing.ran(ROOT) if definition is None else drawing.inside(definition, ROOT)
    return Shape(one_line(name), short(tree.run.workflow), children=children, state=status)


class _Drawing:
    """Draws the tree of one run."""

    def __init__(self, tree: Tree, now: float, *, is_over: bool) -> None:
        self._tree = tree
        self._now = now
        self._is_over = is_over

    # --- on a definition ----------------------------------------------------------------------------

    def inside(self, shape: Shape, scope: str) -> tuple[Shape, ...]:
        """Return the children of a shape as they stand in a scope."""
        begun = self._children(scope)
        word = _REPEATED.get(shape.kind, "")
        for repeated in (word, _TRY):
            times = [one for one in begun if split_segment(_segment(one))[0] == repeated]
            if times:
                drawn = self._folded(scope, [self._time(shape, one, repeated) for one in times])
                return (*drawn, *self._all([one for one in begun if one not in times]))
        steps = tuple(self._with_state(child, join(scope, child.name)) for child in shape.children)
        names = {child.name for child in shape.children}
        return (*steps, *self._all([one for one in begun if _segment(one) not in names]))

    def _time(self, shape: Shape, step: StepState, repeated: str) -> Shape:
        """Return one round, item or try; a body that is one step has the round's own path."""
        name = _segment(step)
        if step.path not in self._tree.children and not step.is_scope and len(shape.children) == 1:
            return self._with_state(shape.children[0], step.path)._replace(name=name)
        template = shape._replace(kind="" if repeated != _TRY else shape.kind)
        return self._marked(Shape(name, layout=shape.layout, children=self.inside(template, step.path)), step)

    def _with_state(self, shape: Shape, path: str) -> Shape:
        drawn = shape._replace(children=self.inside(shape, path)) if shape.children else shape
        if shape.kind == "each" and drawn.children != shape.children and path in self._tree.children:
            drawn = drawn._replace(layout=ROW, repeats="")  # its items stand side by side
        if not shape.children and path in self._tree.children:
            drawn = shape._replace(children=self.ran(path))
        step = self._tree.run.steps.get(path)
        if step is None:
            return drawn._replace(state="" if self._is_over else state.PENDING)
        return self._marked(drawn, step)

    # --- of the journal alone -----------------------------------------------------------------------

    def ran(self, scope: str) -> tuple[Shape, ...]:
        """Return the steps that the journal knows in a scope."""
        begun = self._children(scope)
        return tuple(self._folded(scope, self._all(begun)))

    def _all(self, steps: list[StepState]) -> list[Shape]:
        return [self._of_journal(step) for step in steps]

    def _of_journal(self, step: StepState) -> Shape:
        shape = Shape(
            _segment(step),
            short(step.pattern or step.agent),
            children=self.ran(step.path) if step.path in self._tree.children else (),
            layout=ROW if step.pattern in SIDE_BY_SIDE else COLUMN,
            repeats="again" if step.pattern == "loop" else "",
        )
        return self._marked(shape, step)

    def _children(self, scope: str) -> list[StepState]:
        return list(self._tree.below(scope))

    def _folded(self, scope: str, drawn: list[Shape]) -> list[Shape]:
        """Return the children of a scope, the oldest of very many repeated ones counted in one box."""
        folded = self._tree.folded.get(scope)
        hidden = folded.total if folded else 0
        if self._is_repeated(drawn) and len(drawn) > SHOWN_REPEATS:
            hidden += len(drawn) - SHOWN_REPEATS
            drawn = drawn[-SHOWN_REPEATS:]
        return [Shape("…", detail=f"{hidden:,} earlier ones are not drawn"), *drawn] if hidden else drawn

    def _is_repeated(self, drawn: list[Shape]) -> bool:
        return bool(drawn) and split_segment(drawn[-1].name)[0] in _REPEATED.values()

    def _marked(self, shape: Shape, step: StepState) -> Shape:
        passed_s = elapsed_s(step, self._now)
        word = step.state if step.state != state.READY else "retry"
        return shape._replace(state=word, remark="" if passed_s is None else duration(passed_s))


def _segment(step: StepState) -> str:
    return parent(step.path)[1]
