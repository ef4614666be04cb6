"""Large and binary values, kept as files under their content hash.

Rule 1: what stands under a hash is complete: it is written aside, synced, and renamed.
Rule 2: a link is not followed, so that a step cannot have a file kept that it may not read itself.
"""

from __future__ import annotations

import contextlib
import os
import stat
from hashlib import sha256
from pathlib import Path

from maestri.errors import EngineError
from maestri.values import ArtifactRef

_CHUNK_BYTES = 1 << 20

_OWN_FILES = "/proc/self/fd/"  # files without a name, such as the spilled output of a command


def artifact_path(root: Path, digest: str) -> Path:
    """Return where the content with this SHA-256 (64 hexadecimal digits) is or would be.

    Raises:
        EngineError: The text is not such a digest.
    """
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise EngineError(f"`{digest}` is not the digest of an artifact", fix="give 64 hexadecimal digits")
    return root / digest[:2] / digest


def keep(root: Path, path: str, name: str) -> ArtifactRef:
    """Copy a file's content into the store and return the reference to it.

    Raises:
        EngineError: The file cannot be read, is not a regular file, or cannot be stored.
    """
    aside = root / f"incoming-{os.urandom(8).hex()}"
    try:
        root.mkdir(mode=0o700, exist_ok=True)
        digest, size_bytes = _copy(path, aside)
        _settle(aside, artifact_path(root, digest))
    except OSError as error:
        message = f"`{path}` cannot be kept as an artifact: {error.strerror or error}"
        raise EngineError(message, fix="check that the file is there, readable and no link") from error
    finally:
        with contextlib.suppress(OSError):  # what stays is in nobody's way
            aside.unlink()
    return ArtifactRef(digest, size_bytes, name)


def _copy(path: str, aside: Path) -> tuple[str, int]:
    # A link in a workspace may lead anywhere; the link to an open file of this process leads to that file.
    # O_NONBLOCK: opening a named pipe must not wait for its other end.
    follow = 0 if path.startswith(_OWN_FILES) else os.O_NOFOLLOW
    source = os.open(path, os.O_RDONLY | follow | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(source).st_mode):
        os.close(source)
        raise EngineError(f"`{path}` is not a regular file", fix="give the path of a file")
    with os.fdopen(source, "rb") as content:
        hashed, size_bytes = sha256(), 0
        target = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
        with os.fdopen(target, "wb") as copy:
            while chunk := content.read(_CHUNK_BYTES):
                hashed.update(chunk)
                size_bytes += copy.write(chunk)
            copy.flush()
            os.fsync(target)
    return hashed.hexdigest(), size_bytes


def _settle(aside: Path, place: Path) -> None:
    if not place.exists():
        place.parent.mkdir(mode=0o700, exist_ok=True)
        aside.rename(place)
    # Also where somebody else was faster: whether it has synced by now is not known.
    for folder in place.parents[:3]:
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
