"""What a list of runs shows about each run, kept up to date event by event.

Rule 1: only events of the run as a whole change it; everything else moves `changed` alone.
"""

from __future__ import annotations

from maestri.kernel import codec
from maestri.kernel import events as ev
from maestri.kernel.events import Event
from maestri.kernel.ports import RunInfo


def projected(info: RunInfo, event: Event) -> RunInfo:
    """Return how a run is listed after one more event."""
    kind = event.kind
    if kind in ev.RUN_ENDS:
        return info._replace(end=kind, waiting="", changed=event.at)
    if kind in {ev.RUN_RESUMED, ev.RUN_REOPENED}:
        return info._replace(end=None, waiting="", changed=event.at)
    if kind == ev.RUN_PARKED:
        return info._replace(waiting=_words(event.body), changed=event.at)
    return info._replace(changed=event.at)


def _words(body: str) -> str:
    waiting = codec.decode(body).get("waiting", "")
    if isinstance(waiting, list) and all(isinstance(item, str) for item in waiting):
        return ", ".join(waiting)
    return waiting if isinstance(waiting, str) else codec.encode(waiting)
