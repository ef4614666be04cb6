"""What a file expects of answers, by how it uses them: JSON Schemas of the outputs of its stages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from maestri.importers.conditions import REFERENCE

_COMPARED: Final = re.compile(
    r"\$\{\s*([A-Za-z_][\w.-]*)\s*\}\s*(?:(>=|<=|>|<|==|!=|===|!==)\s*(-?\d|true\b|false\b)?|$)"
)
_ROOT: Final = re.compile(r"[\w-]+")


class Usage:
    """Every path that a file refers to, and which of them are compared with what."""

    def __init__(self, words: Iterable[str], lists: Iterable[str] = ()) -> None:
        """Look at all texts of a file.

        Args:
            words: The texts.
            lists: Those of which each must be a list.
        """
        self.paths: list[tuple[str, ...]] = []
        self._kinds: dict[tuple[str, ...], str] = {}
        for text in words:
            for found in REFERENCE.finditer(text):
                self._note(found[1])
            for found in _COMPARED.finditer(text.strip()):
                self._compare(found[1], found[2], found[3])
        for text in lists:
            self._kinds |= {tuple(found[1].split(".")): "array" for found in REFERENCE.finditer(text)}

    def _note(self, path: str) -> None:
        parts = tuple(path.split("."))
        if "*" not in parts and parts not in self.paths and all(_ROOT.fullmatch(part) for part in parts):
            self.paths.append(parts)

    def _compare(self, path: str, sign: str | None, value: str | None) -> None:
        parts = tuple(path.split("."))
        if value in {"true", "false"}:
            self._kinds[parts] = "boolean"
        elif value is not None or sign in {">", "<", ">=", "<="}:
            self._kinds[parts] = "number"

    def roots(self) -> set[str]:
        """Return the first names of all paths."""
        return {path[0] for path in self.paths}

    def fields(self, stage: str) -> list[str]:
        """Return the outputs of a stage that are referred to by its name."""
        return list(dict.fromkeys(path[1] for path in self.paths if path[0] == stage and len(path) > 1))

    def schema(self, stage: str, outputs: list[str]) -> dict[str, Any]:
        """Return what the answer of a stage must be."""
        found = {name: self._of([(name,), (stage, name)]) for name in outputs}
        shapes = {name: shape for name, shape in found.items() if shape}
        made: dict[str, Any] = {"type": "object", "required": outputs}
        return {**made, "properties": shapes} if shapes else made

    def _of(self, starts: list[tuple[str, ...]]) -> dict[str, Any]:
        """Return the schema of one value, by the paths that it is found under."""
        for start in starts:
            if start in self._kinds:
                return {"type": self._kinds[start]}
        inner = dict.fromkeys(
            path[len(start)]
            for path in self.paths
            for start in starts
            if path[: len(start)] == start and len(path) > len(start)
        )
        if not inner:
            return {}
        shapes = {name: self._of([(*start, name) for start in starts]) for name in inner}
        properties = {name: shape for name, shape in shapes.items() if shape}
        made: dict[str, Any] = {"type": "object", "required": list(inner)}
        return {**made, "properties": properties} if properties else made
