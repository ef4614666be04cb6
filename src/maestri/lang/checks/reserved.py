"""Nothing is called `inputs` or like a word of expressions, and what a pattern binds is a name."""

from __future__ import annotations

from maestri.errors import Span
from maestri.lang.checks.subject import Subject
from maestri.lang.expressions.parse import FOREIGN
from maestri.lang.expressions.tokens import RESERVED as WORDS
from maestri.lang.model import Fixed, PatternDef, StepDef, Templated
from maestri.lang.read_values import NAME
from maestri.lang.scopes import INPUTS
from maestri.patterns._join import CONTEST_RESERVED, RESERVED
from maestri.patterns._registry import PatternSpec

CODE = "L213"
NOT_A_NAME = "L206"
CONTESTS = frozenset({"fallback", "race", "vote", "compete"})


def check_reserved(subject: Subject) -> None:
    """Add each name that is taken already."""
    for siblings in subject.survey.siblings:
        for name, span in siblings.names:
            if name == INPUTS:
                _add(subject, span)
            elif siblings.is_seen and (name in WORDS or name in FOREIGN):
                _add_word(subject, name, span)
    for placed in subject.survey.steps:
        if isinstance(placed.step.action, PatternDef):
            _check_renamed(subject, placed.step, placed.step.action)
            _check_branches(subject, placed.step.action)


def _add(subject: Subject, span: Span) -> None:
    cause = "`inputs` are the arguments of the workflow, everywhere in it"
    subject.findings.add(CODE, "nothing else can be called `inputs`", span, cause=cause, fix="rename it")


def _add_word(subject: Subject, name: str, span: Span) -> None:
    message = f"nothing can be called `{name}`"
    cause = f"in an expression `{name}` is read as a word of its own, so that nothing could refer to this"
    subject.findings.add(CODE, message, span, cause=cause, fix="rename it")


def _check_branches(subject: Subject, action: PatternDef) -> None:
    """Look at the names of branches that are joined: the join keeps records of its own beside them."""
    branches = action.options.get("branches")
    for name, body in branches.items() if isinstance(branches, dict) else ():
        what = _who_keeps(name, action.spec)
        if what:
            message = f"a branch cannot be called `{name}`"
            cause = f"the {what} keeps its own record under this name"
            span = getattr(body, "name_span", None) or body.span
            subject.findings.add(CODE, message, span, cause=cause, fix="rename it")


def _who_keeps(name: str, spec: PatternSpec) -> str:
    """Return who writes under a name beside the branches of a pattern; an empty text for nobody."""
    if name in RESERVED and spec.option("join") is not None:
        return "join"
    return "contest" if name in CONTEST_RESERVED and spec.keyword in CONTESTS else ""


def _check_renamed(subject: Subject, step: StepDef, action: PatternDef) -> None:
    """Look at the options that rename what a pattern binds, such as `as` of `each`."""
    for option in action.spec.options:
        given = action.options.get(option.binds.renamed_by) if option.binds.renamed_by else None
        if isinstance(given, Fixed) and given.value == INPUTS:
            _add(subject, given.span)
        elif isinstance(given, Fixed) and (given.value in WORDS or given.value in FOREIGN):
            _add_word(subject, str(given.value), given.span)
        elif isinstance(given, Templated) or (isinstance(given, Fixed) and not NAME.match(str(given.value))):
            message = f"`{option.binds.renamed_by}` of `{step.name}` is not a name"
            fix = "write a name, such as `as: file`, without an expression"
            cause = "it is the name by which expressions see an item, and is known before the run"
            subject.findings.add(NOT_A_NAME, message, given.span, cause=cause, fix=fix)
