"""Reads `sandbox` of a step or an agent: a profile, or a mapping with more; it takes no expressions."""

from __future__ import annotations

from typing import Final

from maestri.kernel.isolation import KEYS, LIMITS, Unfit, read_isolation
from maestri.lang.findings import Findings
from maestri.lang.tree import Mapping, Tree, to_json
from maestri.values import Json

UNFIT: Final = "L350"


def sandbox(findings: Findings, tree: Tree) -> Json:
    """Return a sandbox as it is written, or add what is wrong with it and return None."""
    given = to_json(tree)
    try:
        read_isolation(given)
    except Unfit as unfit:
        for one in (unfit, *unfit.more):
            findings.add(UNFIT, one.message, _part(tree, one.keys).span, cause=one.cause, fix=one.fix)
        return None
    return given


def _part(tree: Tree, keys: tuple[str, ...]) -> Tree:
    """Return the part of a tree that some keys lead to; of a key that is not known, the key itself."""
    for key in keys:
        entry = tree.entry(key) if isinstance(tree, Mapping) else None
        if entry is None:
            return tree
        tree = entry.value if key in (*KEYS, *LIMITS) else entry.key
    return tree
