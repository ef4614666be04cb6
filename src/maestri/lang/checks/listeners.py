"""Who listens for events says when that ends, and no handler has a name that is taken."""

from __future__ import annotations

from maestri.lang.checks.subject import Subject
from maestri.lang.model import BodyDef, PatternDef, StepDef

ENDLESS, TAKEN = "L260", "L261"
_ENDS = ("max_events", "until", "timeout")
# Under these names a pattern keeps something beside its handlers, and what that is.
_TAKEN = {
    "on": {
        "event": "the events that came",
        "unhandled": "the events that nobody handled",
        "begun": "when it began",
        "otherwise": "the body for all other events",
    },
    "route": {"otherwise": "the body for all other events"},
}


def check_listeners(subject: Subject) -> None:
    """Add each `on` that would never end, and each handler of `on` or `route` whose name is taken."""
    for placed in subject.survey.steps:
        step, action = placed.step, placed.step.action
        if isinstance(action, PatternDef) and step.verb in _TAKEN:
            _check_names(subject, step, action)
            if step.verb == "on" and not any(key in action.options for key in _ENDS):
                message = f"nothing says when `{step.name}` ends"
                cause = "it would listen for events for ever, and no step behind it would ever run"
                fix = "add `max_events: 10`, `until: ${event.name == 'stop'}` or `timeout: 1h`"
                subject.findings.add(ENDLESS, message, step.verb_span, cause=cause, fix=fix)


def _check_names(subject: Subject, step: StepDef, action: PatternDef) -> None:
    handlers = action.options.get("handlers")
    for name, body in handlers.items() if isinstance(handlers, dict) else ():
        what = _TAKEN[step.verb].get(name)
        if what and isinstance(body, BodyDef):
            message = f"a handler cannot be called `{name}`"
            fix = "give it as `otherwise:` beside `handlers`" if name == "otherwise" else "rename the event"
            span = body.name_span or body.span
            subject.findings.add(TAKEN, message, span, cause=f"`{name}` is {what}", fix=fix)
