"""The guardian: a process of its own that starts commands and sees to it that nothing of them is left.

A stand-alone script, run as `python -I -S guardian.py CONTROL OWNER`; it imports nothing of Maestri, so that
it starts fast and stays small. CONTROL is a packet socket to the owner, OWNER a pidfd of it or -1.

    owner ── control ──> guardian ── fork ──> keeper ── spawn ──> command ──> whatever it starts
      └───────── one socket per command ────────┘

Rule 1: there is one keeper per command. It is a subreaper: whoever loses its parent below it becomes its
    child, also after setsid, a double fork or closed descriptors, so that nobody can leave its tree.
Rule 2: a tree is frozen from the top down before it is killed, so that it cannot fork away meanwhile, and so
    that no process id can be reaped and used again between the look and the signal.
Rule 3: a keeper kills its tree when its socket ends or the owner dies, and leaves when the tree is gone. It
    needs nobody for that; the guardian, a subreaper too, takes over what a killed keeper leaves behind.

A packet on CONTROL with four descriptors (stdin, stdout, stderr, the command's socket) starts a command; a
packet with a number asks for a reply when that keeper and all it left are gone. On its socket a keeper takes
one request (eight bytes of length, then fields joined by NUL: soft limit of open files, directory, program,
number of arguments, arguments, environment), then any number of `T` (ask the tree to end) and the end (kill
it). It says `starting PID`, `failed STAGE ERRNO`, `exited STATUS` and `gone`, one line each.
"""

# Importing pathlib would double the time to start and the memory of every keeper.
# ruff: noqa: PTH110, PTH123, PTH208

from __future__ import annotations

# `signal` and `socket` would bring `enum`, and a keeper would cost a third more: their C halves do the same
# with plain numbers.
import _signal as signal  # type: ignore[import-not-found]
import _socket as socket
import ctypes
import gc
import os
import resource
import select
import sys
import time

PRCTL = ctypes.CDLL(None, use_errno=True).prctl  # made once: a keeper must write to as little as it can
PR_SET_CHILD_SUBREAPER = 36
POLL_MS = 20  # how often a tree that does not die at once is looked at again
SETTLE_S = 5.0
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
DEFAULTED = tuple(set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP})
DESCRIPTOR_BYTES = 4  # a C int; descriptors come as an array of them


def become_subreaper() -> None:
    """Have orphans below this process become its children.

    Raises:
        OSError: The kernel does not know how.
    """
    if PRCTL(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _read(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.readall()
    except OSError:  # the process ended meanwhile
        return b""


def _listed(pid: int) -> list[int]:
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    return [int(c) for t in threads for c in _read(f"/proc/{pid}/task/{t}/children").split()]


def _scanned(pid: int) -> list[int]:
    wanted = b"%d" % pid
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _read(f"/proc/{name}/stat").rpartition(b")")[2].split()
            if len(fields) > 1 and fields[1] == wanted:
                found.append(int(name))
    return found


# Kernels without CONFIG_PROC_CHILDREN have no list of children.
children = _listed if os.path.exists(f"/proc/self/task/{os.getpid()}/children") else _scanned


def send(pid: int, number: int) -> None:
    """Send a signal to a process that may have ended, or that belongs to somebody else."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def freeze(spared: set[int]) -> list[int]:
    """Stop everything below this process but `spared`, and return it, parents first."""
    found: dict[int, None] = {}
    grew = True
    while grew:
        grew = False
        for parent in (os.getpid(), *found):
            for pid in children(parent):
                if pid not in found and pid not in spared:
                    found[pid] = None
                    send(pid, signal.SIGSTOP)
                    grew = True
    return list(found)


def kill_below(spared: set[int]) -> bool:
    """Kill everything below this process but `spared`; return whether there was anything."""
    found = freeze(spared)
    for pid in found:
        send(pid, signal.SIGKILL)
    return bool(found)


def terminate_below() -> None:
    """Ask everything below this process to end."""
    found = freeze(set())
    for pid in found:
        send(pid, signal.SIGTERM)
    for pid in reversed(found):
        send(pid, signal.SIGCONT)


def wakeup() -> int:
    """Return a descriptor that becomes readable when a child has ended."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return reading


def forget(wake: int) -> None:
    """Take the word that children have ended."""
    try:
        os.read(wake, 4096)
    except BlockingIOError:
        return


def reap() -> dict[int, int] | None:
    """Return ended children with their status; None where there are no children any more."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended or None
        if pid == 0:
            return ended
        ended[pid] = status


def receive(control: socket.socket) -> tuple[bytes, list[int]]:
    """Return a packet and the descriptors that came with it, closed to what will be executed.

    Raises:
        OSError: The socket is broken.
    """
    room = socket.CMSG_SPACE(4 * DESCRIPTOR_BYTES)
    packet, extra, _, _ = control.recvmsg(64, room, socket.MSG_CMSG_CLOEXEC)
    fds: list[int] = []
    for _, _, data in extra:
        whole = range(0, len(data) - len(data) % DESCRIPTOR_BYTES, DESCRIPTOR_BYTES)
        fds += [int.from_bytes(data[at : at + DESCRIPTOR_BYTES], sys.byteorder) for at in whole]
    return packet, fds


class Keeper:
    """Starts one command and stays until its tree is gone."""

    def __init__(self, line: socket.socket, owner: int) -> None:
        """Take the command's socket and the pidfd of the owner, or -1."""
        self.line = line
        self.wake = wakeup()
        self.poller = select.poll()
        for fd in (line.fileno(), self.wake, owner):
            if fd >= 0:
                self.poller.register(fd, select.POLLIN)
        self.killing = False

    def say(self, words: str) -> None:
        """Tell the owner, if there is one to hear it."""
        try:
            self.line.sendall(words.encode() + b"\n")
        except OSError:
            self.killing = True

    def _take(self, size: int) -> bytes:
        taken = bytearray()
        while len(taken) < size:
            chunk = self.line.recv(min(size - len(taken), 1 << 20))
            if not chunk:
                raise EOFError
            taken += chunk
        return bytes(taken)

    def start(self, streams: list[int]) -> int:
        """Start the command and return its process id; 0 if it cannot be started."""
        fields = self._take(int.from_bytes(self._take(8), "big")).split(b"\0")
        limit, directory, program, count = fields[:4]
        arguments, pairs = fields[4 : 4 + int(count)], fields[4 + int(count) :]
        environment = dict(pair.split(b"=", 1) for pair in pairs)
        self.say(f"starting {os.getpid()}")  # before the command can kill the one who says it
        stage = "directory"
        try:
            os.chdir(directory)
            stage = "program"
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (int(limit), hard))
            pid = _spawn(program, arguments, environment, streams)
        except OSError as error:
            self.say(f"failed {stage} {error.errno}")
            return 0
        os.chdir("/")
        for fd in streams:
            os.close(fd)
        return pid

    def stay(self, command: int) -> None:
        """Report how the command ends; end its tree when told; return when everything is gone."""
        while True:
            ended = reap()
            if ended is None:
                break
            if command in ended:
                self.say(f"exited {ended[command]}")
            elif not ended:
                self._wait()
        self.say("gone")

    def _wait(self) -> None:
        if self.killing:
            kill_below(set())
        for fd, _ in self.poller.poll(POLL_MS if self.killing else None):
            if fd == self.wake:
                forget(self.wake)
            elif fd == self.line.fileno():
                self._listen()
            else:
                self._let_go(fd)

    def _listen(self) -> None:
        try:
            word = self.line.recv(16)
        except OSError:
            word = b""
        if word:
            terminate_below()
        else:
            self._let_go(self.line.fileno())

    def _let_go(self, fd: int) -> None:
        self.poller.unregister(fd)
        self.killing = True


def _spawn(
    program: bytes, arguments: list[bytes], environment: dict[bytes, bytes], streams: list[int]
) -> int:
    return os.posix_spawn(
        program,
        arguments,
        environment,
        file_actions=[(os.POSIX_SPAWN_DUP2, fd, place) for place, fd in enumerate(streams)],
        setsid=True,
        setsigmask=(),
        setsigdef=DEFAULTED,
    )


class Guardian:
    """Forks a keeper for each command, and takes over what a killed keeper leaves behind."""

    def __init__(self, control: socket.socket, owner: int) -> None:
        """Take the socket and the pidfd of the owner, or -1."""
        self.control = control
        self.owner = owner
        self.wake = wakeup()
        self.keepers: set[int] = set()
        self.strays = False
        self.poller = select.poll()
        for fd in (control.fileno(), self.wake, owner):
            if fd >= 0:
                self.poller.register(fd, select.POLLIN)
        self.is_leaving = False

    def serve(self) -> None:
        """Work until the owner is gone and everything of it is."""
        while not self.is_leaving or self.keepers or self.strays:
            for fd, _ in self.poller.poll(POLL_MS if self.strays else None):
                if fd == self.control.fileno():
                    self._listen()
                elif fd == self.wake:
                    forget(self.wake)
                else:
                    self._leave()
            self._sweep()

    def _listen(self) -> None:
        try:
            packet, fds = receive(self.control)
        except OSError:
            packet, fds = b"", []
        if len(fds) == 4:
            self._fork(fds)
        elif packet:
            self._settle(int(packet))
        else:
            self._leave()

    def _leave(self) -> None:
        self.is_leaving = True
        for fd in (self.control.fileno(), self.owner):
            try:
                self.poller.unregister(fd)
            except (KeyError, ValueError):
                continue

    def _fork(self, fds: list[int]) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            os.write(fds[3], f"failed fork {error.errno}\n".encode())
        else:
            if pid == 0:
                self._keep(fds)
            self.keepers.add(pid)
        for fd in fds:
            os.close(fd)

    def _keep(self, fds: list[int]) -> None:
        """Be a keeper, in the process just forked; never returns."""
        status = 1
        try:
            self.control.close()
            os.close(self.wake)
            os.close(signal.set_wakeup_fd(-1))
            become_subreaper()
            keeper = Keeper(socket.socket(fileno=fds[3]), self.owner)
            command = keeper.start(fds[:3])
            if command:
                keeper.stay(command)
            status = 0
        except EOFError:
            status = 0
        finally:
            os._exit(status)

    def _sweep(self) -> None:
        ended = reap() or {}
        # A keeper that left in good order has left nothing behind; only the others need the walk.
        if self.strays or any(ended.values()) or ended.keys() - self.keepers:
            self.keepers -= ended.keys()
            self.strays = kill_below(self.keepers)
        self.keepers -= ended.keys()

    def _settle(self, keeper: int) -> None:
        until = time.monotonic() + SETTLE_S
        while (keeper in self.keepers or self.strays) and time.monotonic() < until:
            self._sweep()
            time.sleep(0.002)
        try:
            self.control.send(b"settled")
        except OSError:
            self._leave()


def main() -> None:
    """Serve the owner that is named by the arguments."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    become_subreaper()
    os.listdir("/proc/self/task")  # without it no tree can be walked: better to fail now
    control, owner = int(sys.argv[1]), int(sys.argv[2])
    for fd in (control, owner):
        if fd >= 0:
            os.set_inheritable(fd, False)
    guardian = Guardian(socket.socket(fileno=control), owner)
    gc.disable()
    gc.freeze()  # a collection would write to every page that the keepers share
    guardian.control.send(b"ready")
    guardian.serve()


if __name__ == "__main__":
    main()
