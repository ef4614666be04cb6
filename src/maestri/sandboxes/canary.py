"""The proof that a sandbox holds: a canary is started in it, and tries what must not come through.

Rule 1: a sandbox is taken only after its canary; that a program is installed proves nothing.
Rule 2: what can be seen from outside is looked at from outside as well: files that must be as they were,
    sockets that nobody must have reached.
Rule 3: the canary is started as steps are, from the thread that called: a sandbox dies with that thread.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess  # nosec B404 - a layer that may start processes
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final

from maestri.errors import SandboxFailed
from maestri.kernel.isolation import AGENT, BASIC, Isolation, Placed
from maestri.records import NamedTuple
from maestri.sandboxes import policy, probes
from maestri.sandboxes.policy import Launch, Mechanism
from maestri.sandboxes.sight import PYTHON, sight

WORKS: Final = "works"
LIMIT_S: Final = 30.0
_DECOY: Final = "what only those outside may read"
_OF_NETWORK: Final = ("tcp", "udp")
_NESTED: Final = "user namespace"


class Proof(NamedTuple):
    """What a canary has found: each probe with `blocked` or how it came through; `said` is why it died."""

    mechanism: str
    profile: str
    probes: dict[str, str]
    said: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing came through."""
        return bool(self.probes) and all(found == "blocked" for found in self.probes.values())

    @property
    def blocked(self) -> list[str]:
        """The probes that were blocked."""
        return [name for name, found in self.probes.items() if found == "blocked" and name != WORKS]

    @property
    def leaks(self) -> dict[str, str]:
        """What came through."""
        return {name: found for name, found in self.probes.items() if found != "blocked"}


def wanted(mechanism: Mechanism, isolation: Isolation) -> list[str]:
    """Return the probes that must be blocked; what is known not to be is said by the mechanism."""
    found = list(probes.PROBES)
    if isolation.profile == AGENT:
        found = [name for name in found if name not in {*_OF_NETWORK, _NESTED}]
    if mechanism.level == BASIC and policy.landlock_abi() < policy.SCOPE_ABI:
        found.remove("signals")
    return found


class _Outside:
    """What there is to be reached outside: files with secrets, sockets that somebody listens at."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.folder.mkdir()
        self.decoy = folder / "id_canary"
        self.decoy.write_text(_DECOY)
        name = f"maestri-canary-{os.getpid()}-{folder.parent.name}"
        self.abstract = name
        self._listeners = {
            "tcp": stack.enter_context(_listening(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))),
            "udp": stack.enter_context(_listening(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))),
            "abstract socket": stack.enter_context(
                _listening(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{name}")
            ),
            "file socket": stack.enter_context(
                _listening(socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "socket"))
            ),
        }

    def described(self, names: list[str], asked: list[str]) -> dict[str, Any]:
        """Return what the canary is told."""
        return {
            "outside": str(self.folder),
            "decoy": str(self.decoy),
            "tcp": self._listeners["tcp"].getsockname()[1],
            "udp": self._listeners["udp"].getsockname()[1],
            "abstract": self.abstract,
            "file": str(self.folder / "socket"),
            "pid": os.getpid(),
            "pids": os.readlink("/proc/self/ns/pid"),  # noqa: PTH115 - no path, a name
            "names": names,
            "probes": asked,
        }

    def reached(self) -> dict[str, str]:
        """Return what has come through by what is seen here."""
        found = {name: "was reached" for name, one in self._listeners.items() if _is_reached(one)}
        if sorted(file.name for file in self.folder.iterdir()) != ["id_canary", "socket"]:
            found["write outside"] = "left a file"
        if not self.decoy.exists() or self.decoy.read_text() != _DECOY:
            found["write outside"] = "changed a file"
        return found


def _listening(family: int, kind: int, address: Any) -> socket.socket:
    made = socket.socket(family, kind)
    made.bind(address)
    if kind == socket.SOCK_STREAM:
        made.listen()
    made.setblocking(False)
    return made


def _is_reached(listener: socket.socket) -> bool:
    with suppress(OSError):
        if listener.type == socket.SOCK_DGRAM:
            return bool(listener.recv(16))
        connection, _ = listener.accept()
        connection.close()
        return True
    return False


def start(mechanism: Mechanism, isolation: Isolation) -> Callable[[], Proof]:
    """Start a canary in a sandbox; what is returned waits for its end, on any thread, and gives its proof."""
    stack = ExitStack()
    try:
        return _started(mechanism, isolation, stack)
    except SandboxFailed as error:
        stack.close()
        said = error.message
    except OSError as error:
        stack.close()
        said = f"the canary cannot be started: {error}"
    return lambda: Proof(mechanism.name, isolation.profile, {}, said)


def _started(mechanism: Mechanism, isolation: Isolation, stack: ExitStack) -> Callable[[], Proof]:
    place = Path(os.path.realpath(tempfile.mkdtemp(prefix="maestri-canary-")))
    stack.callback(shutil.rmtree, place, ignore_errors=True)
    folder, own = place / "work", place / "launch"
    for one in (folder, own):
        one.mkdir()
    launch = Launch(own)
    env = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "TMPDIR": mechanism.temporary(launch)}
    outside = _Outside(place / "outside", stack)
    asked = wanted(mechanism, isolation)
    text = Path(probes.__file__).read_text(encoding="utf-8")
    command = [PYTHON, "-I", "-S", "-c", text, json.dumps(outside.described(list(env), asked))]
    placed = Placed("canary", "/canary", command, env, str(folder), str(folder))
    bare = Isolation(isolation.profile, isolation.minimum)
    argv = mechanism.argv(bare, sight(bare, placed, place / "outside"), launch)
    child = subprocess.Popen(  # nosec B603 - our own programs
        [*argv, *command],
        env=policy.held(env),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )

    def finish() -> Proof:
        with stack:
            try:
                answer, said = child.communicate(timeout=LIMIT_S)
            except subprocess.TimeoutExpired:
                child.kill()
                answer, said = child.communicate()
            return _proof(mechanism.name, isolation.profile, answer, said, outside)

    return finish


def _proof(name: str, profile: str, answer: bytes, said: bytes, outside: _Outside) -> Proof:
    try:
        found: dict[str, str] = json.loads(answer)
    except ValueError:
        return Proof(name, profile, {}, said.decode(errors="replace").strip() or "the canary did not answer")
    found = {probe: words or "blocked" for probe, words in found.items()}
    found |= {probe: words for probe, words in outside.reached().items() if probe in found}
    return Proof(name, profile, found)
