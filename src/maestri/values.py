"""Plain data that all layers speak: JSON values, usage, artifacts, failures.

Rule: everything here survives a round trip through JSON unchanged.
"""

from __future__ import annotations

from typing import TypeAlias

from maestri.records import NamedTuple

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class Usage(NamedTuple):
    """What an answer cost. A figure that is not known is None, never zero.

    `cost_usd` is money in US dollars; tokens are counted by the provider.
    """

    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_usd: float | None = None

    def as_json(self) -> dict[str, Json]:
        """Return the figures that are known."""
        return {k: v for k, v in self._asdict().items() if v is not None}


class ArtifactRef(NamedTuple):
    """A large or binary value, kept as a file under its content hash (SHA-256, hexadecimal)."""

    digest: str
    size_bytes: int
    name: str

    def as_json(self) -> dict[str, Json]:
        """Return the reference as a JSON object."""
        return {"artifact": self.digest, "size_bytes": self.size_bytes, "name": self.name}


def plain_type(value: Json) -> str:
    """Return the word that messages use for the type of a JSON value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    return "list" if isinstance(value, list) else "mapping"
