"""Samples to figures: medians, ranges, the ratio of the two sides, and how they are printed."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple


class Figure(NamedTuple):
    """One figure of one workload on both sides, measured in alternation in one call.

    `unit` is `s` or `bytes`; `maestri` and `floor` are the samples, in the order in which they were taken.
    """

    workload: str
    what: str
    n: int
    unit: str
    maestri: Sequence[float]
    floor: Sequence[float]

    @property
    def ratio(self) -> float | None:
        """The median of Maestri over that of the floor; None where the floor is nothing."""
        below = median(self.floor)
        return median(self.maestri) / below if below else None

    def as_json(self) -> dict[str, Any]:
        """Return the figure with all its samples, each to four digits."""
        ratio = self.ratio
        return {
            "workload": self.workload,
            "what": self.what,
            "n": self.n,
            "unit": self.unit,
            "maestri": [_short(sample) for sample in self.maestri],
            "floor": [_short(sample) for sample in self.floor],
            "ratio": None if ratio is None else round(ratio, 2),
        }

    def line(self) -> str:
        """Return the figure as a line of the table."""
        ratio = self.ratio
        shown = "" if ratio is None else f"{ratio:.2f}"
        ours, below = spread(self.maestri, self.unit), spread(self.floor, self.unit)
        return f"{self.what:<58} {self.n:>7,}  {ours:<28} {below:<28} {shown:>6}"


HEAD = f"{'workload':<58} {'n':>7}  {'Maestri':<28} {'floor':<28} {'ratio':>6}"


def spread(samples: Sequence[float], unit: str) -> str:
    """Return the median with the smallest and the largest sample: `12.3 ms (11.0-14.1)`."""
    scale, name = _scale(median(samples), unit)
    middle, low, high = (f"{value * scale:.3g}" for value in (median(samples), min(samples), max(samples)))
    return f"{middle} {name}" if len(samples) == 1 else f"{middle} {name} ({low}-{high})"


def _scale(value: float, unit: str) -> tuple[float, str]:
    if unit == "bytes":
        return 1e-3, "kB"
    return (1.0, "s") if value >= 1 else (1e3, "ms")


def _short(value: float) -> float:
    return float(f"{value:.4g}")
