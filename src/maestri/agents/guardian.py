"""The guardian: a process of its own that starts commands and sees to it that nothing of them is left.

A stand-alone script, run as `python -I -S guardian.py CONTROL OWNER`; it imports nothing of Maestri, so that
it starts fast and stays small. CONTROL is a packet socket to the owner, OWNER a pidfd of it or -1.

    owner ── control ──> guardian ── fork ──> keeper ── fork ──> command ──> whatever it starts
      └───────── one socket per command ────────┘

Rule 1: there is one keeper per command. It is a subreaper: whoever loses its parent below it becomes its
    child, also after setsid, a double fork or closed descriptors, so that nobody can leave its tree.
Rule 2: a tree is frozen from the top down before it is killed, so that it cannot fork away meanwhile, and so
    that no process id can be reaped and used again between the look and the signal.
Rule 3: a keeper kills its tree when its socket ends or the owner dies, and leaves when the tree is gone. It
    needs nobody for that; the guardian, a subreaper too, takes over what a killed keeper leaves behind.
Rule 4: an idle keeper is nearly all shared with the guardian, and what either writes to after the fork is
    memory of that keeper. So the way from a packet to the wait touches few objects; what can be done by the
    process that is about to become the command is done there.

A packet on CONTROL with five descriptors (stdin, stdout, stderr, the command's socket, the request) starts a
command; a packet with a number asks for a reply when that keeper and all it left are gone. The request is
eight bytes of length, then fields joined by NUL: soft limit of open files, directory, program, number of
arguments, arguments, environment. On its socket a keeper takes any number of `T` (ask the tree to end) and
the end (kill it). From there come `starting KEEPER`, `failed STAGE ERRNO`, `exited STATUS` and `gone`, one
line each.
"""

# Importing pathlib would double the time to start.
# ruff: noqa: PTH110, PTH123, PTH208

# `signal`, `socket` and `ctypes` would leave their many objects in between those that a keeper touches, and
# with each of them it would cost more pages: their C halves do the same with plain numbers.
import _ctypes
import _signal as signal  # type: ignore[import-not-found]
import _socket as socket
import gc
import os
import resource
import select
import sys
import time


class _Function(_ctypes.CFuncPtr):
    """A function of the C library."""

    _flags_ = _ctypes.FUNCFLAG_CDECL


def _function(name: str) -> _Function:
    return _Function(_ctypes.dlsym(_ctypes.dlopen(None, os.RTLD_NOW), name))  # type: ignore[arg-type]


PRCTL = _function("prctl")
SIGNALFD = _function("signalfd")
PR_SET_CHILD_SUBREAPER = 36
POLL_MS = 20  # how often a tree that does not die at once is looked at again
SETTLE_S = 5.0
MASK_BYTES = 128  # of a `sigset_t`
TOLD_BYTES = 128  # of what a signalfd tells about one signal
# Held back in the guardian and the keepers, which nobody is to end. A command that is asked to end before it
# has become one has the signal waiting for it.
HELD_BACK = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
# What Python or whoever started it has set up otherwise; a command must find the default.
CHANGED = tuple(n for n in signal.valid_signals() if signal.getsignal(n) != signal.SIG_DFL)
PASSED = 5  # descriptors of a command
ROOM = socket.CMSG_SPACE(PASSED * 4)


def become_subreaper() -> None:
    """Have orphans below this process become its children.

    Raises:
        OSError: The kernel does not know how.
    """
    if PRCTL(PR_SET_CHILD_SUBREAPER, 1) != 0:
        raise OSError("prctl")


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


def told_of_children() -> int:
    """Return a descriptor that is readable when a child of the process that looks at it has ended.

    Raises:
        OSError: There are no descriptors left.
    """
    mask = (1 << (signal.SIGCHLD - 1)).to_bytes((sys.maxsize.bit_length() + 1) // 8, sys.byteorder)
    fd: int = SIGNALFD(-1, mask.ljust(MASK_BYTES, b"\0"), os.O_CLOEXEC | os.O_NONBLOCK)
    if fd < 0:
        raise OSError("signalfd")
    return fd


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


def taken(fd: int, size: int) -> bytes:
    """Read exactly so many bytes.

    Raises:
        EOFError: There are not as many.
    """
    found = bytearray()
    while len(found) < size:
        chunk = os.read(fd, min(size - len(found), 1 << 20))
        if not chunk:
            raise EOFError
        found += chunk
    return bytes(found)


class Keeper:
    """Starts one command and stays until its tree is gone.

    Made once, in the guardian: a keeper becomes it by being forked.
    """

    def __init__(self, line: int, ended: int, poller: select.poll) -> None:
        """Take the place of the command's socket, what tells of children, and a poller of both."""
        self.line = line
        self.ended = ended
        self.poller = poller
        self.killing = False

    def say(self, words: bytes) -> None:
        """Tell the owner, if there is one to hear it."""
        try:
            os.write(self.line, words)
        except OSError:
            self.killing = True

    def keep(self, fds: memoryview) -> None:
        """Start the command with these descriptors and stay, in the process just forked; never returns."""
        status = 1
        try:
            become_subreaper()
            os.dup2(fds[3], self.line, False)  # takes the place of the guardian's own socket
            try:
                command = os.fork()
            except OSError as error:
                self.say(b"failed fork %d\n" % (error.errno or 0))
                status = 0
                return
            if command == 0:
                self._execute(fds)
            for fd in fds:
                os.close(fd)
            self.stay(command)
            status = 0
        finally:
            os._exit(status)

    def _execute(self, fds: memoryview) -> None:
        """Become the command, in the process just forked; never returns."""
        stage = b"program"
        try:
            self.say(b"starting %d\n" % os.getppid())  # before the command can kill the keeper
            request = taken(fds[4], int.from_bytes(taken(fds[4], 8), "big")).split(b"\0")
            limit, directory, program, count = request[:4]
            arguments, pairs = request[4 : 4 + int(count)], request[4 + int(count) :]
            environment = dict(pair.split(b"=", 1) for pair in pairs)
            os.setsid()
            for place in range(3):
                os.dup2(fds[place], place)
            stage = b"directory"
            os.chdir(directory)
            stage = b"program"
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (int(limit), hard))
            for number in CHANGED:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            os.execve(program, arguments, environment)  # noqa: S606 - no shell is what is wanted
        except OSError as error:
            self.say(b"failed %s %d\n" % (stage, error.errno or 0))
        except EOFError:  # the owner went, or does not want it any more
            return
        finally:
            os._exit(127)

    def stay(self, command: int) -> None:
        """Report how the command ends; end its tree when told; return when everything is gone."""
        while True:
            self._wait()
            while ended := reap():
                if command in ended:
                    self.say(b"exited %d\n" % ended[command])
            if ended is None:
                break
        self.say(b"gone\n")

    def _wait(self) -> None:
        if self.killing:
            kill_below(set())
        for fd, _ in self.poller.poll(POLL_MS if self.killing else None):
            if fd == self.ended:
                os.read(fd, TOLD_BYTES)
            elif fd == self.line:
                self._listen()
            else:
                self._let_go(fd)

    def _listen(self) -> None:
        try:
            word = os.read(self.line, 16)
        except OSError:
            word = b""
        if word:
            terminate_below()
        else:
            self._let_go(self.line)

    def _let_go(self, fd: int) -> None:
        self.poller.unregister(fd)
        self.killing = True


class Guardian:
    """Forks a keeper for each command, and takes over what a killed keeper leaves behind."""

    def __init__(self, control: socket.socket, owner: int) -> None:
        """Take the socket and the pidfd of the owner, or -1."""
        self.control = control
        self.owner = owner
        self.ended = told_of_children()
        self.keepers: set[int] = set()
        self.strays = False
        self.poller = select.poll()
        for fd in (control.fileno(), self.ended, owner):
            if fd >= 0:
                self.poller.register(fd, select.POLLIN)
        self.is_leaving = False
        self.keeper = Keeper(control.fileno(), self.ended, self.poller)

    def serve(self) -> None:
        """Work until the owner is gone and everything of it is."""
        while not self.is_leaving or self.keepers or self.strays:
            for fd, _ in self.poller.poll(POLL_MS if self.strays else None):
                if fd == self.control.fileno():
                    self._listen()
                elif fd == self.ended:
                    os.read(fd, TOLD_BYTES)
                    self._sweep()
                else:
                    self._leave()
            if self.strays:
                self._sweep()

    def _listen(self) -> None:
        try:
            packet, passed, _, _ = self.control.recvmsg(64, ROOM, socket.MSG_CMSG_CLOEXEC)
        except OSError:
            packet, passed = b"", []
        if passed:
            self._fork(memoryview(passed[0][2]).cast("i"))  # descriptors come as an array of C's int
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

    def _fork(self, fds: memoryview) -> None:
        if len(fds) == PASSED:  # fewer come where this process has no room for them
            try:
                pid = os.fork()
            except OSError as error:
                os.write(fds[3], b"failed fork %d\n" % (error.errno or 0))
            else:
                if pid == 0:
                    self.keeper.keep(fds)
                self.keepers.add(pid)
        for fd in fds:
            os.close(fd)

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
    signal.pthread_sigmask(signal.SIG_BLOCK, {*HELD_BACK, signal.SIGCHLD})
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
