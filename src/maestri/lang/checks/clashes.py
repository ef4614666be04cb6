"""No expression is certain to fail: types that clash, and parts that cannot be there."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.model import Templated

CODE = "L218"


def check_clashes(subject: Subject) -> None:
    """Add what is certain to fail in each expression."""
    for use in subject.survey.uses:
        if isinstance(use.value, Templated):
            for problem in use.problems:
                subject.findings.inside(
                    use.value.scalar,
                    problem.start,
                    problem.end,
                    CODE,
                    problem.message,
                    cause=problem.cause,
                    fix=problem.fix,
                )
