"""What is kept beside a workspace: what it is, and by what it is known again. And the names of its refs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from maestri.errors import WorkspaceMissing
from maestri.kernel.path import split_segment
from maestri.kernel.ports import Workspace
from maestri.records import NamedTuple

RECORD, INDEX, EXCLUDES = "workspace.json", "index", "excludes"
_REFS: Final = "refs/maestri"
_ROUND: Final = "round"


class Kept(NamedTuple):
    """What a workspace is known by: the folder that it was made as, and marks of the repository then."""

    workspace: Workspace
    device: int
    inode: int
    marks: Mapping[str, str]


def folder_of(parent: Path, path: str) -> Path:
    """Return the folder of everything that belongs to the workspace of a step."""
    return parent / blake2b(path.encode(), digest_size=8).hexdigest()


def write(folder: Path, kept: Kept) -> None:
    """Store what is known of a workspace; it is there whole, or not at all."""
    document = {**kept._asdict(), "workspace": kept.workspace.as_json(), "marks": dict(kept.marks)}
    aside = folder / f"{RECORD}.new"
    with aside.open("w", encoding="utf-8", errors="surrogateescape") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(folder / RECORD)


def read(folder: Path) -> Kept | None:
    """Return what is known of a workspace; None where there is nothing that can be read."""
    try:
        found: dict[str, Any] = json.loads(
            (folder / RECORD).read_text(encoding="utf-8", errors="surrogateescape")
        )
        workspace = Workspace.from_json(found["workspace"])
        return Kept(workspace, found["device"], found["inode"], found["marks"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def known(folder: Path, workspace: Workspace) -> Kept:
    """Return what is known of a workspace.

    Raises:
        WorkspaceMissing: Nothing is, or its files are gone.
    """
    kept = read(folder)
    if kept is not None and Path(kept.workspace.tree).is_dir():
        return kept
    message = f"the workspace of `{workspace.path}` is not there any more"
    cause = f"somebody has removed `{workspace.tree}`"
    raise WorkspaceMissing(message, cause=cause, fix="start a new run: what was not committed is lost")


def everything(runs: Path, run: str = "") -> Iterator[Kept]:
    """Yield what is known of the workspaces of a run, or of all of them, in order."""
    folders = sorted(runs.glob(f"{run or '*'}/workspaces"))
    for folder in folders:
        kept = [one for place in folder.iterdir() if (one := read(place)) is not None]
        yield from sorted(kept, key=lambda one: one.workspace.path)


# --- refs -----------------------------------------------------------------------------------------


def base_ref(run: str) -> str:
    """Return the ref of the commit that a run began from."""
    return f"{_REFS}/{run}/base"


def ref(kind: str, run: str, path: str = "/") -> str:
    """Return the ref of the work of a step (`work`), of what it did besides (`aside`), of what `landed`.

    Without a path it is the prefix of all of that kind.
    """
    return f"{_REFS}/{run}/{kind}/{path[1:].replace('/', ',').replace('#', '+')}"


def path_of(name: str) -> str:
    """Return the path of the step that a ref belongs to."""
    return "/" + name.rpartition("/")[2].replace(",", "/").replace("+", "#")


def branch_of(run_name: str, path: str) -> str:
    """Return the name of the branch of a step, for people: `maestri/bold-otter-3/mend.fix`."""
    words = re.sub(r"[/#]", ".", path.strip("/"))
    return f"maestri/{run_name}/{words}{'_' if words.endswith('.lock') or words == 'lock' else ''}"


def rounds_before(path: str) -> list[str]:
    """Return the paths of the earlier rounds of all loops that a step is in."""
    segments = path.strip("/").split("/")
    found = []
    for at, segment in enumerate(segments):
        name, number = split_segment(segment)
        if name == _ROUND:
            above = "/".join(("", *segments[:at]))
            found += [f"{above}/{_ROUND}" + (f"#{n}" if n > 1 else "") for n in range(1, number)]
    return found
