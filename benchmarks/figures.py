"""Samples to figures: medians, ranges, the ratio of the two sides, the verdict, and how they are printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Literal, NamedTuple, TypeAlias

Unit: TypeAlias = Literal["s", "bytes", "times"]


class Target(NamedTuple):
    """What a figure is to stay below.

    `of` says which number: the `ratio` to the floor, Maestri's own median (`own`), or by how much that lies
    `over` the floor for each of the n.
    """

    most: float
    of: Literal["ratio", "own", "over"] = "ratio"


class Figure(NamedTuple):
    """One figure of one workload on all sides, measured in alternation in one call.

    `maestri` and `floor` are the samples, in the order in which they were taken; the floor has none where
    there is nothing to compare with. `peers` are the samples of other programs by their names.
    """

    workload: str
    what: str
    n: int
    unit: Unit
    maestri: Sequence[float]
    floor: Sequence[float] = ()
    target: Target | None = None
    peers: Mapping[str, Sequence[float]] = {}

    @property
    def ratio(self) -> float | None:
        """The median of Maestri over that of the floor; None where the floor is nothing."""
        below = median(self.floor) if self.floor else 0
        return median(self.maestri) / below if below else None

    @property
    def judged(self) -> float | None:
        """The number that the target is about."""
        if self.target is None or self.target.of == "ratio":
            return self.ratio
        below = median(self.floor) if self.target.of == "over" else 0.0
        return (median(self.maestri) - below) / (self.n if self.target.of == "over" else 1)

    @property
    def is_missed(self) -> bool:
        """Whether there is a target, and the figure does not reach it."""
        return self.target is not None and self.judged is not None and self.judged > self.target.most

    def as_json(self) -> dict[str, Any]:
        """Return the figure with all its samples, each to four digits."""
        found: dict[str, Any] = {
            "workload": self.workload,
            "what": self.what,
            "n": self.n,
            "unit": self.unit,
            "maestri": _all_short(self.maestri),
            "floor": _all_short(self.floor),
            "ratio": None if self.ratio is None else round(self.ratio, 2),
        }
        if self.target is not None:
            found["target"] = {**self.target._asdict(), "missed": self.is_missed}
        if self.peers:
            found["peers"] = {name: _all_short(samples) for name, samples in self.peers.items()}
        return found

    def line(self) -> str:
        """Return the figure as a line of the table, and one for each other program."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        shown = [self._row(self.what, self.maestri, ratio, self._verdict())]
        for name, samples in self.peers.items():
            below = median(self.floor) if self.floor else 0
            times = f"{median(samples) / below:.2f}" if below and samples else ""
            shown.append(self._row(f"    {name}", samples, times, ""))
        return "\n".join(shown)

    def _row(self, what: str, samples: Sequence[float], ratio: str, verdict: str) -> str:
        ours, below = spread(samples, self.unit), spread(self.floor, self.unit)
        return f"{what:<62} {self.n:>9,}  {ours:<27} {below:<27} {ratio:>6}  {verdict}".rstrip()

    def _verdict(self) -> str:
        if self.target is None or self.judged is None:
            return ""
        most, of = self.target
        words = f"{most:g}x" if of == "ratio" else spread([most], self.unit)
        return (
            f"{'missed' if self.is_missed else 'reached'}: at most {words}{' over' if of == 'over' else ''}"
        )


HEAD = f"{'workload':<62} {'n':>9}  {'Maestri':<27} {'floor':<27} {'ratio':>6}  target"


def spread(samples: Sequence[float], unit: str) -> str:
    """Return the median with the smallest and the largest sample: `12.3 ms (11.0-14.1)`, or nothing."""
    if not samples:
        return ""
    scale, name = _scale(median(samples), unit)
    middle, low, high = (f"{value * scale:.3g}" for value in (median(samples), min(samples), max(samples)))
    return f"{middle} {name}" if len(samples) == 1 else f"{middle} {name} ({low}-{high})"


def _scale(value: float, unit: str) -> tuple[float, str]:
    if unit == "times":
        return 1.0, "times"
    if unit == "bytes":
        return (1e-3, "kB") if value < 1e6 else (1e-6, "MB")
    return (1.0, "s") if value >= 1 else (1e3, "ms")


def _all_short(samples: Sequence[float]) -> list[float]:
    return [float(f"{sample:.4g}") for sample in samples]
