"""The state directory: where it is, who may see it, and what lies where in it.

    journal-0001.db  (-wal, -shm, .lock)   journals; a file has one owner process
    runs/<run id>/{lock, mailbox/, refused-mail/, inside/, logs/, all.log, copies/}
    tell                                    the program with which steps report
    artifacts/<aa>/<sha256>                 large values by content hash
    bell                                    the runs that were sent a message, so that owners look
    reserve                                 room to let go of when the disk is full

Rule 1: private to the user: folders 0700, files 0600, refused otherwise.
Rule 2: no text of a user becomes a file name.
Rule 3: looking creates nothing; only `prepare` does.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

from maestri.engines import artifacts
from maestri.engines.filesystems import network_type
from maestri.errors import RunNotFound, StateUnusable
from maestri.values import ArtifactRef

RESERVE_BYTES = 16 << 20
ALLOW_NETWORK = "MAESTRI_ALLOW_NETWORK_FS"

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
_JOURNAL = re.compile(r"journal-([0-9]{4,})\.db\Z")
_OTHERS = 0o077


def locate(environ: Mapping[str, str]) -> Path:
    """Return the state directory that the environment asks for; it need not exist."""
    if own := environ.get("MAESTRI_STATE"):
        return Path(own).expanduser().absolute()
    if xdg := environ.get("XDG_STATE_HOME"):
        return Path(xdg).absolute() / "maestri"
    return Path("~/.local/state/maestri").expanduser()


class StateDir:
    """A state directory and the names of what lies in it."""

    def __init__(self, root: Path, environ: Mapping[str, str] | None = None) -> None:
        """Name the directory; nothing is touched. `environ` is asked for the network override."""
        self.root = root
        self.bell = root / "bell"
        self.reserve = root / "reserve"
        self._may_be_remote = (environ or {}).get(ALLOW_NETWORK) == "1"

    def inspect(self) -> bool:
        """Tell whether the directory exists, and refuse one that must not be trusted.

        A directory of ours that others may enter is tightened.

        Raises:
            StateUnusable: It is no directory, somebody else's, open to others, or on a network.
        """
        try:
            found = self.root.stat()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._unusable(error.strerror or str(error), "choose another with MAESTRI_STATE") from error
        if not self.root.is_dir():
            raise self._unusable("it is not a directory", "choose another with MAESTRI_STATE")
        if found.st_uid != os.geteuid():
            cause = f"it belongs to user {found.st_uid}, and you are {os.geteuid()}"
            raise self._unusable(cause, "choose one of your own with MAESTRI_STATE")
        self._refuse_network()
        if found.st_mode & _OTHERS:
            self._tighten()
        return True

    def prepare(self) -> None:
        """Create the directory where it is missing, and refuse one that cannot be written to.

        Raises:
            StateUnusable: As `inspect`; or it cannot be created or written to.
        """
        try:
            self.root.parent.mkdir(parents=True, exist_ok=True)
            if not self.root.exists():
                self.root.mkdir(mode=0o700, exist_ok=True)
                artifacts.sync_folder(self.root.parent)
        except OSError as error:
            raise self._unusable(error.strerror or str(error), "choose another with MAESTRI_STATE") from error
        self.inspect()
        if not os.access(self.root, os.W_OK):
            fix = "make it writable, or choose another with MAESTRI_STATE"
            raise self._unusable("it cannot be written to", fix)

    def _refuse_network(self) -> None:
        if self._may_be_remote:
            return
        kind = network_type(self.root)
        if kind:
            cause = f"it lies on a network file system ({kind}), where a journal can be damaged"
            fix = f"choose a local one with MAESTRI_STATE, or set {ALLOW_NETWORK}=1 if only this host uses it"
            raise self._unusable(cause, fix)
        self._may_be_remote = True  # a directory does not move while we use it: look once

    def _tighten(self) -> None:
        try:
            self.root.chmod(0o700)
        except OSError as error:
            raise self._unusable("others may enter it", f"chmod 700 {self.root}") from error

    def _unusable(self, cause: str, fix: str) -> StateUnusable:
        message = f"the state directory {self.root} cannot be used"
        return StateUnusable(message, cause=cause, fix=fix, file=str(self.root))

    def journals(self) -> list[tuple[int, Path]]:
        """Return number and path of each journal file, in order of their numbers.

        Raises:
            StateUnusable: The directory cannot be read.
        """
        names = self._names()
        return sorted((int(match[1]), self.root / name) for name in names if (match := _JOURNAL.match(name)))

    def _names(self) -> list[str]:
        try:
            return os.listdir(self.root)  # noqa: PTH208 - a third of the time, and it is read at every start
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._unusable(error.strerror or str(error), "check its disk, then try again") from error

    def has_one_journal(self) -> bool:
        """Tell whether there is one journal file at the most, for less than the list of them takes.

        Raises:
            StateUnusable: The directory cannot be read.
        """
        return sum(map(bool, map(_JOURNAL.match, self._names()))) <= 1

    def journal(self, number: int) -> Path:
        """Return the path of a journal file; it need not exist."""
        return self.root / f"journal-{number:04}.db"

    def run_dir(self, run_id: str) -> Path:
        """Return the folder of a run; it need not exist.

        Raises:
            RunNotFound: The text cannot be the id of a run.
        """
        return Path(self.run_place(run_id))

    def run_place(self, run_id: str) -> str:
        """Return the folder of a run as a text, for those who ask for thousands of them.

        Raises:
            RunNotFound: The text cannot be the id of a run.
        """
        if _RUN_ID.match(run_id) is None:
            raise RunNotFound(f"`{run_id}` is not the id of a run", fix="list the runs and take one of them")
        return f"{self.root}/runs/{run_id}"

    def made(self, folder: Path) -> Path:
        """Create a folder below the root with all above it, private, and return it."""
        for missing in (*reversed(folder.relative_to(self.root).parents), folder.relative_to(self.root)):
            (self.root / missing).mkdir(mode=0o700, exist_ok=True)
        return folder

    def log_path(self, run_id: str, path: str, attempt: int) -> Path:
        """Return the log of one attempt of a step, in a folder that exists."""
        name = blake2b(path.encode(), digest_size=16).hexdigest()
        return self.made(self.run_dir(run_id) / "logs") / f"{name}-{attempt}.log"

    def has_step_mailboxes(self, run_id: str) -> bool:
        """Tell whether there are mailboxes of steps of a run, or it cannot be told."""
        try:
            return bool(os.listdir(f"{self.run_place(run_id)}/inside"))  # noqa: PTH208 - at every resume
        except FileNotFoundError:
            return False
        except OSError:
            return True  # whoever reads them says why

    def step_mailbox(self, run_id: str, path: str, attempt: int) -> Path:
        """Return the mailbox of one attempt of a step; it is there while its processes run."""
        name = blake2b(path.encode(), digest_size=16).hexdigest()
        return self.run_dir(run_id) / "inside" / f"{name}-{attempt}"

    def run_log(self, run_id: str) -> Path:
        """Return the log of a whole run; it need not exist."""
        return self.run_dir(run_id) / "all.log"

    def copies(self, run_id: str) -> Path:
        """Return the folder of the directories that a run works on copies of; it exists."""
        return self.made(self.run_dir(run_id) / "copies")

    def workspaces(self, run_id: str) -> Path:
        """Return the folder of the worktrees of a run; it exists."""
        return self.made(self.run_dir(run_id) / "workspaces")

    def landings(self, run_id: str) -> Path:
        """Return the folder of the worktrees in which a run verifies what it lands; it exists."""
        return self.made(self.run_dir(run_id) / "landing")

    def artifact_path(self, digest: str) -> Path:
        """Return where the content with this SHA-256 is or would be.

        Raises:
            EngineError: The text is not such a digest.
        """
        return artifacts.artifact_path(self.root / "artifacts", digest)

    def keep(self, path: str, name: str) -> ArtifactRef:
        """Copy a file's content into the artifact store and return the reference to it.

        Raises:
            EngineError: The file cannot be read or stored.
        """
        return artifacts.keep(self.root / "artifacts", path, name)

    def has_room(self) -> bool:
        """Tell whether a small file can be written and synced right now."""
        probe = self.root / f"probe-{os.getpid()}"
        try:
            _fill(probe, 1 << 16)
        except OSError:
            return False
        finally:
            _remove(probe)
        return True

    def hold_reserve(self) -> bool:
        """Set room aside for the day the disk is full; tell whether it is there."""
        try:
            if self.reserve.exists():
                return True
            room = os.statvfs(self.root)
            if room.f_bavail * room.f_frsize < 2 * RESERVE_BYTES:
                return False
            _fill(self.reserve, RESERVE_BYTES)
        except OSError:
            _remove(self.reserve)
            return False
        return True

    def release_reserve(self) -> None:
        """Give the reserve back to the disk."""
        _remove(self.reserve)


def _fill(path: Path, size_bytes: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size_bytes)
        else:
            os.write(descriptor, bytes(size_bytes))
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # it is not there, or the disk fails: then others say so
        path.unlink()
