"""Five short questions, and the pattern that the answers name.

The first two say how the work is put together, the next two what is done about its quality and its failures,
the last one what counts. So an answer is a pattern around the parts, one inside each part, and properties.

Rule: what is asked and what follows stand in tables; who adds a pattern adds a line here, and a test row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from maestri.records import NamedTuple


class Question(NamedTuple):
    """A question with its answers: each a word, and what it means. The first is meant where none is given."""

    name: str
    text: str
    answers: Mapping[str, str]


QUESTIONS: Final = (
    Question(
        "parts",
        "What is the work made of?",
        {
            "steps": "a few different things to do, which are known before",
            "one": "one piece of work",
            "list": "the same for each item of a list",
            "unknown": "nobody knows before somebody has looked",
            "decided": "what comes next is decided on the way, by what came back",
            "events": "what happens while it runs: signals, webhooks, other steps",
            "event": "one event has come, and its type says what is to be done",
            "shared": "a piece that several workflows share",
        },
    ),
    Question(
        "needs",
        "What does a part need of the others?",
        {
            "before": "what the one before it gives",
            "nothing": "nothing",
            "some": "what some of the others give",
            "meet": "little: they are lines of work that meet on the way",
            "choice": "only one of them is done, by what is known by then",
        },
    ),
    Question(
        "good",
        "How do you know that the work is good?",
        {
            "done": "it is, when it is done",
            "command": "a command tells: tests, a build, a linter",
            "value": "a value tells, and until then it is done again",
            "review": "somebody reviews it, and it gets better with each review",
            "approve": "several must approve of it",
            "gate": "each part must hold before the next one begins",
            "compare": "several approaches are compared, and the best is kept",
            "agree": "several answer, and enough of them agree",
        },
    ),
    Question(
        "fails",
        "What happens when something fails?",
        {
            "stop": "all of it fails, and can be resumed",
            "rest": "the others go on",
            "other": "another way is tried",
            "undo": "what was done is taken back",
            "mend": "somebody mends it, and it is checked again",
        },
    ),
    Question(
        "counts",
        "What counts most?",
        {
            "simple": "that it is simple",
            "time": "that there is an answer soon",
            "money": "that it costs little",
        },
    ),
)


class Choice(NamedTuple):
    """One pattern with the answers that lead to it."""

    pattern: str
    because: str


class Fitting(NamedTuple):
    """What fits: the patterns from the outermost to the innermost, and properties beside them."""

    patterns: tuple[Choice, ...]
    properties: tuple[Choice, ...] = ()


# What each answer is worth, the first line that holds: the answers that are asked for, and the pattern.
_AROUND: Final[tuple[tuple[Mapping[str, str], str], ...]] = (
    ({"parts": "list"}, "each"),
    ({"parts": "unknown"}, "scout"),
    ({"parts": "decided"}, "supervise"),
    ({"parts": "events"}, "on"),
    ({"parts": "event"}, "route"),
    ({"parts": "shared"}, "workflow"),
    ({"parts": "steps", "needs": "nothing"}, "parallel"),
    ({"parts": "steps", "needs": "some"}, "graph"),
    ({"parts": "steps", "needs": "meet"}, "streams"),
    ({"parts": "steps", "needs": "choice"}, "branch"),
    ({"parts": "steps"}, "steps"),
)
_INSIDE: Final[tuple[tuple[Mapping[str, str], str], ...]] = (
    ({"fails": "undo"}, "saga"),
    ({"good": "gate"}, "phases"),
    ({"good": "compare"}, "compete"),
    ({"good": "agree"}, "vote"),
    ({"good": "approve"}, "review"),
    ({"good": "review"}, "refine"),
    ({"good": "value"}, "loop"),
    ({"fails": "mend"}, "repair"),
    ({"fails": "other", "counts": "time"}, "race"),
    ({"fails": "other"}, "fallback"),
)
_BESIDE: Final[tuple[tuple[Mapping[str, str], str], ...]] = (
    ({"parts": "steps", "needs": "nothing", "fails": "rest"}, "`join: settled`"),
    ({"parts": "list", "fails": "rest"}, "`join: settled` (as it is without it)"),
    ({"parts": "steps", "needs": "some", "fails": "rest"}, "`on_failure: finish` (as it is without it)"),
    ({"parts": "steps", "needs": "nothing", "counts": "time"}, "`on_result`: results as they come"),
    ({"good": "command", "fails": "stop"}, "`verify:` with that command on the step"),
    ({"counts": "money"}, "`tier: small` on what is easy, `tier: large` on what is not"),
    ({"counts": "time", "parts": "list"}, "`max_concurrent:` as high as the account allows"),
)
# These are a line of steps themselves.
_LINES: Final = frozenset({"saga", "phases"})
# The branches of these are the parts, where the parts do not need each other.
_CONTESTS: Final = frozenset({"compete", "vote", "race", "fallback"})


def complete(given: Mapping[str, str]) -> dict[str, str]:
    """Return an answer to each question: the one that is given, else the first one.

    Args:
        given: Answers by the names of their questions, each one that the question has.
    """
    return {question.name: given.get(question.name, next(iter(question.answers))) for question in QUESTIONS}


def fitting(given: Mapping[str, str]) -> Fitting:
    """Return the patterns that fit some answers; where there is none, a plain step does."""
    answers = complete(given)
    around, inside = _first(_AROUND, answers), _first(_INSIDE, answers)
    if around and inside and _is_taken_in(around.pattern, inside.pattern):
        around = None
    beside = [_choice(wanted, name) for wanted, name in _BESIDE if _holds(wanted, answers)]
    return Fitting(tuple(choice for choice in (around, inside) if choice), tuple(beside))


def _is_taken_in(around: str, inside: str) -> bool:
    """Tell whether the inner pattern does what the outer one would, too."""
    return (around == "steps" and inside in _LINES) or (around == "parallel" and inside in _CONTESTS)


def _holds(wanted: Mapping[str, str], answers: Mapping[str, str]) -> bool:
    return all(answers[name] == answer for name, answer in wanted.items())


def _first(table: tuple[tuple[Mapping[str, str], str], ...], answers: Mapping[str, str]) -> Choice | None:
    return next((_choice(wanted, name) for wanted, name in table if _holds(wanted, answers)), None)


def _choice(wanted: Mapping[str, str], name: str) -> Choice:
    """Return a pattern or property with the answers that it was chosen for, in words."""
    texts = {question.name: question for question in QUESTIONS}
    said = [f"“{texts[one].answers[answer]}”" for one, answer in wanted.items()]
    return Choice(name, f"you say {' and '.join(said)}")
