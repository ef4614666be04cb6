"""What `maestri doctor` looks at. Nothing is changed but for a small file that is written and removed."""

from __future__ import annotations

import os
import platform
import re
import resource
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from maestri.agents.process import containment
from maestri.cli.main import resolve
from maestri.engines.filesystems import network_type
from maestri.errors import MaestriError
from maestri.project import Project
from maestri.records import NamedTuple
from maestri.report.wording import counted, size

OK, WARNING, PROBLEM = "ok", "warning", "problem"

_SOUND_SQLITE: Final = (3, 51, 3)
_OLD_SQLITE: Final = (3, 37, 0)
_FEW_FILES: Final = 256
_LOW_BYTES: Final = 1 << 30
_EXAMINING_S: Final = 10.0
_LARGE_WAL_BYTES: Final = 256 << 20


class Finding(NamedTuple):
    """What was looked at, whether it is `ok`, a `warning` or a `problem`, and what to do about it."""

    what: str
    state: str
    words: str
    fix: str = ""


def examine(project: Project) -> list[Finding]:
    """Return what was found; a look that fails is a finding itself."""
    found: list[Finding] = []
    for look in _LOOKS:
        try:
            found += look(project)
        except MaestriError as error:
            found.append(Finding(look.__name__.strip("_"), PROBLEM, error.message, error.fix))
        except OSError as error:
            found.append(Finding(look.__name__.strip("_"), PROBLEM, str(error)))
    return found


def _python(_project: Project) -> Iterator[Finding]:
    yield Finding("python", OK, f"{platform.python_version()} ({sys.executable})")


def _sqlite(_project: Project) -> Iterator[Finding]:
    # Only the versions are asked for; the libraries themselves belong to other layers.
    yield sqlite_finding(resolve("sqlite3:sqlite_version"))


def sqlite_finding(version: str) -> Finding:
    """Return what to say of a version of SQLite."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
    if numbers < _OLD_SQLITE:
        fix = "use a Python that was built with SQLite 3.37 or newer"
        return Finding("sqlite", PROBLEM, f"{version} is too old", fix)
    if numbers < _SOUND_SQLITE:
        words = f"{version} has the WAL-reset bug (mended in 3.51.3)"
        why = (
            "it needs two connections that write one file; here every journal has one: nothing is to be done"
        )
        return Finding("sqlite", WARNING, words, why)
    return Finding("sqlite", OK, version)


def _yaml(_project: Project) -> Iterator[Finding]:
    if resolve("yaml:__with_libyaml__"):
        yield Finding("yaml", OK, f"{resolve('yaml:__version__')} with libyaml")
    else:
        yield Finding(
            "yaml", WARNING, "PyYAML has no libyaml: large definitions load slowly", "install a wheel"
        )


def _git(_project: Project) -> Iterator[Finding]:
    place = shutil.which("git")
    if place is None:
        yield Finding("git", WARNING, "not found; runs without workspaces do not need it", "install git")
    else:
        yield Finding("git", OK, place)


def _containment(_project: Project) -> Iterator[Finding]:
    how = containment()
    if how == "guardian":
        yield Finding("containment", OK, "guardian: nothing of a command outlives its step")
    else:
        words = f"{how}: a command that leaves its process group may outlive its step"
        yield Finding("containment", WARNING, words, "on Linux nothing can leave")


def _sandbox(_project: Project) -> Iterator[Finding]:
    # The proofs take a tenth of a second, and what makes them belongs to another layer.
    how, words, fix = resolve("maestri.sandboxes.local:advice")(resolve("maestri.sandboxes.local:examine")())
    yield Finding("sandbox", OK if how == "strong" else WARNING, words, fix)


def _files(_project: Project) -> Iterator[Finding]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = "no limit" if hard == resource.RLIM_INFINITY else str(hard)
    if 0 <= soft < _FEW_FILES:
        yield Finding("open files", WARNING, f"{soft} (up to {limit})", f"ulimit -n {_FEW_FILES * 4}")
    else:
        yield Finding("open files", OK, f"{soft} (up to {limit})")


def _state(project: Project) -> Iterator[Finding]:
    root = project.state.root
    if not project.state.inspect():
        above = next(folder for folder in root.parents if folder.exists())
        if os.access(above, os.W_OK):
            yield Finding("state", OK, f"{root} will be made by the first run")
        else:
            yield Finding(
                "state", PROBLEM, f"{root} cannot be made", f"make {above} writable, or set MAESTRI_STATE"
            )
        return
    yield _state_finding(project, root)
    room = os.statvfs(root)
    free_bytes = room.f_bavail * room.f_frsize
    fix = "make room: a full disk pauses all runs" if free_bytes < _LOW_BYTES else ""
    yield Finding("disk", WARNING if fix else OK, f"{size(free_bytes)} free", fix)


def _state_finding(project: Project, root: Path) -> Finding:
    if not project.state.has_room():
        fix = f"make room at {root}, and make it writable"
        return Finding("state", PROBLEM, f"a test file could not be written to {root}", fix)
    kind = network_type(root)
    if kind:
        words = f"{root} is private, and on a network file system ({kind})"
        return Finding("state", WARNING, words, "only one machine may use it")
    return Finding("state", OK, f"{root} is private and local")


def _journals(project: Project) -> Iterator[Finding]:
    runs = project.runs(everywhere=True)
    files = [file for _, file in project.state.journals()]
    size_bytes = sum(file.stat().st_size for file in files)
    damages = project.examine(_EXAMINING_S)
    if not damages:
        words = f"{counted(len(runs), 'run')} in {counted(len(files), 'file')}, {size(size_bytes)}"
        yield Finding("journals", OK, words)
    for damage in damages:
        words = damage.message if (damage.file or "") in damage.message else f"{damage.file} {damage.message}"
        yield Finding("journals", PROBLEM, f"{words}: {damage.cause}" if damage.cause else words, damage.fix)
    for file in files:
        yield from _wal(file)


def _wal(file: Path) -> Iterator[Finding]:
    log = file.with_name(file.name + "-wal")
    size_bytes = log.stat().st_size if log.exists() else 0
    if size_bytes > _LARGE_WAL_BYTES:
        words = f"{log} has grown to {size(size_bytes)}"
        yield Finding("journals", WARNING, words, "end processes that read this journal for very long")


_LOOKS: Final[tuple[Callable[[Project], Iterator[Finding]], ...]] = (
    _python,
    _sqlite,
    _yaml,
    _git,
    _containment,
    _sandbox,
    _files,
    _state,
    _journals,
)
