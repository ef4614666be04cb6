"""Where a worktree begins: at the merged results of what its step builds on, or where the run began."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from maestri.errors import BranchMoved, ResultsConflict
from maestri.kernel.path import is_within
from maestri.workspaces import records
from maestri.workspaces.git import NOWHERE, Git
from maestri.workspaces.verifying import shown

_NAMED: Final = 10


def base_of(git: Git, run: str, path: str, after: Sequence[str]) -> str:
    """Return the commit that a step begins from.

    Args:
        git: The repository.
        run: The id of the run.
        path: The path of the step.
        after: Paths of the steps and scopes that it builds on; the earlier rounds of its loops are added.

    Raises:
        ResultsConflict: What it builds on cannot be merged.
        NoCommits: There is nothing to begin from.
    """
    own = records.base_ref(run)
    refs = git.refs(own, records.ref("work", run))
    before = [*after, *records.rounds_before(path)]
    done = {records.path_of(name): commit for name, commit in refs.items() if name != own}
    paths = sorted(one for one in done if any(is_within(one, scope) for scope in before))
    heads = git.independent([done[one] for one in paths])
    if not heads:
        return refs.get(own) or _began(git, own)
    base = heads[0]
    for head in heads[1:]:
        merged = git.merge_tree(base, head)
        if not merged.is_clean:
            raise _conflict(paths, merged.paths)
        # The same results give the same commit, so that a step that is begun anew finds its own.
        at = max(git.made_at(base), git.made_at(head))
        base = git.commit_tree(merged.tree, (base, head), f"Merge what `{path}` builds on", at=at)
    return base


def _began(git: Git, ref: str) -> str:
    """Note where a run begins, for all its steps."""
    head = git.head()
    with suppress(BranchMoved):  # another step of the run was faster
        git.update_ref(ref, head, NOWHERE, reason="maestri: a run begins")
        return head
    return git.ref(ref)


def _conflict(steps: Sequence[str], paths: Sequence[str]) -> ResultsConflict:
    message = f"the results of {', '.join(f'`{step}`' for step in steps)} conflict with each other"
    cause = "they change " + ", ".join(f"`{shown(path)}`" for path in paths[:_NAMED])
    fix = "give them `claims` that do not meet, or let one need the other"
    return ResultsConflict(message, cause=cause, fix=fix)
