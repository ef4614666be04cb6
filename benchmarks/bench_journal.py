"""How fast events become text and text becomes the state of a run: no disk, no agents."""

from __future__ import annotations

import json
from collections.abc import Iterator

from figures import Figure, per_second

from maestri.kernel import codec, events
from maestri.kernel.events import Stored
from maestri.kernel.state import fold

STEPS = 10_000
OUTPUT = {"summary": "three files changed", "files": ["a.py", "b.py", "c.py"], "approved": True}


def history(steps: int) -> list[Stored]:
    """Return the events of a run with that many steps, one after the other."""
    first: dict[str, object] = {"workflow": "bench", "inputs": {}, "cwd": "."}
    found = [Stored(events.RUN_STARTED, "", "", 0.0, "", first, 1)]
    for n in range(1, steps + 1):
        name = "step" if n == 1 else f"step#{n}"
        found.append(Stored(events.STARTED, "/", name, 0.0, "", {"attempt": 1, "agent": "run"}, 2 * n))
        found.append(Stored(events.SUCCEEDED, "/", name, 0.0, "", {"output": OUTPUT}, 2 * n + 1))
    return found


def measure() -> Iterator[Figure]:
    """Yield the rates of encoding, decoding and folding."""
    text = codec.encode({"output": OUTPUT})
    past = history(STEPS)
    yield Figure(f"encode a body of {len(text)} bytes", per_second(_encode), "/s")
    yield Figure(f"decode a body of {len(text)} bytes", per_second(lambda: _decode(text)), "/s")
    yield Figure(f"fold the events of {STEPS:,} steps", per_second(lambda: _fold(past)), "/s")


def _encode() -> int:
    for _ in range(STEPS):
        codec.encode({"output": OUTPUT})
    return STEPS


def _decode(text: str) -> int:
    for _ in range(STEPS):
        json.loads(text)
    return STEPS


def _fold(past: list[Stored]) -> int:
    fold(past)
    return len(past)
