"""The tree of a run as lines of styled text, never more lines than there is room for.

Rule 1: what failed, runs or waits is shown before what is done, and the newest before the oldest.
Rule 2: each state has a sign of its own, and a word where the sign alone could be misread; colour only
repeats it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from maestri.kernel import state
from maestri.kernel.path import ROOT, parent
from maestri.kernel.state import StepState
from maestri.records import NamedTuple
from maestri.report.tree import Tree, Wait
from maestri.report.wording import counted, cut, duration, one_line, width_of

GOOD, BAD, BUSY, WAIT, DIM, BOLD, PLAIN = "good", "bad", "busy", "wait", "dim", "bold", ""

STYLES: Final[dict[str, str]] = {
    state.PENDING: DIM,
    state.READY: WAIT,
    state.STARTING: BUSY,
    state.RUNNING: BUSY,
    state.BLOCKED: WAIT,
    state.SUCCEEDED: GOOD,
    state.FAILED: BAD,
    state.CANCELLED: BAD,
    state.SKIPPED: DIM,
    state.INTERRUPTED: BAD,
    state.WAITING: WAIT,
}
SIGNS: Final[dict[str, str]] = {
    state.PENDING: "·",
    state.READY: "↻",
    state.STARTING: "○",
    state.RUNNING: "▶",
    state.BLOCKED: "‖",
    state.SUCCEEDED: "✓",
    state.FAILED: "✗",
    state.CANCELLED: "⊘",
    state.SKIPPED: "↷",
    state.INTERRUPTED: "!",
    state.WAITING: "‖",
}
ASCII_SIGNS: Final[dict[str, str]] = {
    state.PENDING: ".",
    state.READY: "~",
    state.STARTING: "o",
    state.RUNNING: ">",
    state.BLOCKED: "=",
    state.SUCCEEDED: "+",
    state.FAILED: "x",
    state.CANCELLED: "-",
    state.SKIPPED: "/",
    state.INTERRUPTED: "!",
    state.WAITING: "=",
}
_ENOUGH_LINES: Final = 10_000
_BAR_CELLS: Final = 10
_OPEN: Final = 1000
# (from which depth on what has succeeded is closed, how many of those stay in a scope)
_EVER_LESS: Final = ((_OPEN, None), (4, None), (2, None), (1, None), (0, None), (0, 3), (0, 0))
_NARROW: Final = 60
WITH_SCOPE: Final = "scope"  # the reason of what was cancelled along with something else


class Piece(NamedTuple):
    """A part of a line in one style; `style` is one of this module's words."""

    text: str
    style: str = PLAIN


Line = Sequence[Piece]


class Look(NamedTuple):
    """How an outline is drawn: the room there is, in columns and lines, and the time of now.

    `words` writes the state beside every sign.
    """

    columns: int = 80
    lines: int | None = None
    now: float = 0.0
    is_unicode: bool = True
    words: bool = False

    def sign(self, word: str) -> str:
        """Return the sign of a state."""
        return (SIGNS if self.is_unicode else ASCII_SIGNS).get(word, "?")

    @property
    def mark(self) -> str:
        """What stands where a text was cut."""
        return "…" if self.is_unicode else "..."


class Row(NamedTuple):
    """One line to be: a step at a depth, or words about steps that are not shown."""

    depth: int
    step: StepState | None
    words: str = ""
    has_children: bool = False


def outline(tree: Tree, look: Look, notices: dict[str, str] | None = None, top: str = ROOT) -> list[Line]:
    """Return the lines of the tree below a scope."""
    rows = _chosen(tree, top, look.lines)
    said = notices or {}
    return [_line(tree, row, look, said) for row in rows]


def _chosen(tree: Tree, top: str, room: int | None) -> list[Row]:
    """Return the most telling rows that fit: everything, else ever less of what is done."""
    limit = _ENOUGH_LINES if room is None else max(1, room)
    for closed, kept in _EVER_LESS:
        rows = _first(_rows(tree, top, 0, closed, kept), limit + 1)
        if len(rows) <= limit:
            return rows
    rows = _first(_rows(tree, top, 0, 0, 0), _ENOUGH_LINES)
    return _most_urgent(rows, limit)


def _first(rows: Iterator[Row], limit: int) -> list[Row]:
    found = []
    for row in rows:
        found.append(row)
        if len(found) >= limit:
            break
    return found


def _rows(tree: Tree, scope: str, depth: int, closed: int, kept: int | None) -> Iterator[Row]:
    """Yield rows in order.

    What has succeeded is closed from the depth `closed` on; `kept` is how many of those stay in a scope.
    """
    children = list(tree.below(scope))
    done = [step.path for step in children if step.state in {state.SUCCEEDED, state.SKIPPED}]
    hidden = set() if kept is None else set(done[: len(done) - kept])
    folded = tree.folded.get(scope)
    count = len(hidden) + (folded.total if folded else 0)
    if scope in tree.earlier:
        yield Row(depth, None, "earlier ones that are under way may not be shown")
    if count:
        yield Row(depth, None, f"{count:,} more {'done' if folded is None or folded.are_done else 'ended'}")
    for step in children:
        if step.path in hidden:
            continue
        inner = step.path in tree.children
        yield Row(depth, step, has_children=inner)
        if inner and (step.state != state.SUCCEEDED or depth < closed):
            yield from _rows(tree, step.path, depth + 1, closed, kept)


_URGENCY: Final = {state.FAILED: 0, state.RUNNING: 1, state.BLOCKED: 1, state.READY: 1, state.STARTING: 1}


def _most_urgent(rows: list[Row], limit: int) -> list[Row]:
    """Return as many rows as fit with a last line that counts the rest, each row with the scopes above it."""
    if limit == 1:
        return [Row(0, None, counted(len(rows), "line") + " do not fit")]
    kept: set[int] = set()
    above = _parents(rows)
    order = sorted(range(len(rows)), key=lambda i: (_rank(rows[i]), -i))
    for index in order:
        chain = {index}
        at = above[index]
        while at is not None:
            chain.add(at)
            at = above[at]
        if len(kept | chain) <= limit - 1:
            kept |= chain
        if len(kept) == limit - 1:
            break
    left_out = len(rows) - len(kept)
    return [*(rows[i] for i in sorted(kept)), Row(0, None, f"{left_out:,} more lines do not fit")]


def _rank(row: Row) -> int:
    return 9 if row.step is None else _URGENCY.get(row.step.state, 5)


def _parents(rows: list[Row]) -> list[int | None]:
    found: list[int | None] = []
    trail: list[int] = []
    for index, row in enumerate(rows):
        del trail[row.depth :]
        found.append(trail[-1] if trail else None)
        trail.append(index)
    return found


def _line(tree: Tree, row: Row, look: Look, notices: dict[str, str]) -> Line:
    indent = " " * min(2 * row.depth, look.columns // 3)
    if row.step is None:
        return fitted([Piece(indent), Piece(f"{look.mark} {row.words}", DIM)], look)
    step = row.step
    name = parent(step.path)[1]
    style = STYLES.get(step.state, PLAIN)
    pieces = [
        Piece(indent),
        Piece(look.sign(step.state), style),
        Piece(f" {name}", BOLD if step.is_scope else PLAIN),
    ]
    for piece in _facts(tree, step, look):
        pieces += [Piece("  "), piece]
    said = _said(tree, step, notices)
    if said:
        pieces += [Piece("  "), Piece(said, BAD if step.state == state.FAILED else DIM)]
    return fitted(pieces, look)


def _facts(tree: Tree, step: StepState, look: Look) -> Iterator[Piece]:
    """Yield what is known of a step, the most important first: a narrow terminal cuts at the end."""
    if look.words or step.state not in {state.RUNNING, state.SUCCEEDED}:
        yield Piece(step.state if step.state != state.READY else "retry", STYLES.get(step.state, PLAIN))
    if step.is_scope and step.total and step.state not in state.ENDED:
        yield Piece(_progress(tree, step, look), BUSY)
    passed_s = elapsed_s(step, look.now)
    if passed_s is not None:
        yield Piece(duration(passed_s), DIM)
    if step.attempt > 1:
        yield Piece(f"attempt {step.attempt}", WAIT)
    wait = tree.waits.get(step.path)
    if wait is not None:
        yield Piece(wait_words(wait, look.now), WAIT)
    kind = step.pattern or step.agent
    if kind and look.columns >= _NARROW:
        yield Piece(one_line(kind), DIM)


def _progress(tree: Tree, step: StepState, look: Look) -> str:
    total = step.total or 0
    ended = min(tree.ended_in(step.path), total)
    count = f"{ended:,}/{total:,}"
    if look.columns < _NARROW:
        return count
    full = round(_BAR_CELLS * ended / total)
    done, rest = ("█", "░") if look.is_unicode else ("#", ".")
    return f"{done * full}{rest * (_BAR_CELLS - full)} {count}"


def _said(tree: Tree, step: StepState, notices: dict[str, str]) -> str:
    if step.state in {state.RUNNING, state.BLOCKED} and not step.is_scope:
        return one_line(notices.get(step.path, ""))
    if step.state == state.FAILED and step.is_scope and _failed_below(tree, step.path):
        return ""  # it is said where it happened
    if step.state == state.CANCELLED and step.note == WITH_SCOPE:
        return ""
    if step.state in {state.FAILED, state.SKIPPED, state.CANCELLED}:
        return one_line(step.note)
    return ""


def _failed_below(tree: Tree, scope: str) -> bool:
    return any(child.state == state.FAILED for child in tree.below(scope))


def elapsed_s(step: StepState, now: float) -> float | None:
    """Return how long a step took, or has taken so far; None where that means nothing."""
    if step.started is None or step.state in {state.PENDING, state.SKIPPED}:
        return None
    if step.ended is not None:
        return step.ended - step.started
    return now - step.started if now and step.state in state.LIVE else None


def wait_words(wait: Wait, now: float) -> str:
    """Return what is waited for, and for how long still."""
    if wait.reason == "retry":
        rest_s = (wait.until or now) - now
        return f"next attempt in {duration(rest_s)}" if rest_s > 0 else "next attempt"
    if wait.hold:
        return one_line(wait.reason)
    is_limited = bool(wait.question or wait.signals)
    if wait.until is not None and not is_limited:
        return f"waits {duration(wait.until - now)}" if wait.until > now else "waits"
    left = f", {duration(wait.until - now)} left" if wait.until is not None and wait.until > now else ""
    return one_line(f"asks{left}: {wait.question}" if wait.question else f"waits for {wait.reason}{left}")


def unblocking(run: str, path: str) -> str:
    """Return the command that settles what blocks a step."""
    return f"maestri unblock {run} {path} --note TEXT"


def fitted(pieces: Sequence[Piece], look: Look) -> Line:
    """Return the pieces of a line as far as they fit into its columns."""
    room = look.columns
    found: list[Piece] = []
    for piece in pieces:
        width = width_of(piece.text)
        if width > room:
            found.append(Piece(cut(piece.text, room, look.mark), piece.style))
            break
        found.append(piece)
        room -= width
    while found and not found[-1].text.strip():
        found.pop()
    if found:
        found[-1] = found[-1]._replace(text=found[-1].text.rstrip())
    return found


def plain(line: Line) -> str:
    """Return a line without its styles."""
    return "".join(piece.text for piece in line)
