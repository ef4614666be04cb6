"""The sandboxes of this machine: chooses the strongest one that is proved to hold, or refuses.

Rule 1: bubblewrap first; Landlock only for who asks for `minimum: basic`; else the step is refused, and
    nothing of it is run.
Rule 2: each mechanism is proved once in each process, for each profile, before its first command.
Rule 3: without a sandbox a step runs only where the user has named it (`--unsafe-no-sandbox`), on record.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from signal import SIGXCPU, SIGXFSZ
from typing import Any, Final

from maestri.errors import LimitExceeded, SandboxBroken, SandboxUnavailable
from maestri.kernel.isolation import BASIC, CODE, STRONG, Isolation, Limits, Placed
from maestri.sandboxes import canary, causes, policy
from maestri.sandboxes.bubblewrap import Bubblewrap
from maestri.sandboxes.canary import Proof
from maestri.sandboxes.causes import Cause
from maestri.sandboxes.cgroups import Groups
from maestri.sandboxes.landlock import Landlock
from maestri.sandboxes.limits import Watch, exceeded
from maestri.sandboxes.policy import Launch, Mechanism
from maestri.sandboxes.sight import Sight, check_program, sight

UNSAFE: Final = "none"  # the mechanism of who runs without one
_BROKEN_CODE: Final = 125
_BROKEN_SAID: Final = "maestri-confine: "
_BY_SIGNAL: Final = 128  # what a shell and bwrap add to the number of a signal
_SAID_BYTES: Final = 300
_NUMBERS: Final = itertools.count(1)  # of the starts of this process


def mechanisms() -> tuple[Mechanism, ...]:
    """Return the ways to make a sandbox, the strongest first."""
    return (Bubblewrap(), Landlock())


class LocalSandboxes:
    """Implements the port `Sandboxes` for commands that start on this machine."""

    def __init__(
        self,
        place: Path,
        private: Path,
        *,
        unsafe: Sequence[str] = (),
        ways: Sequence[Mechanism] | None = None,
    ) -> None:
        """Begin with nothing proved.

        Args:
            place: Where the folders of single starts are made.
            private: The folder of Maestri itself, which no sandbox shows.
            unsafe: Steps that may run without a sandbox, by path or by name.
            ways: The mechanisms to choose from, the strongest first.
        """
        self._place = place
        self._private = private
        self._unsafe = frozenset(unsafe)
        self._ways = mechanisms() if ways is None else tuple(ways)
        self._proofs: dict[tuple[str, str], asyncio.Future[Proof]] = {}
        self._is_swept = False

    async def confine(self, isolation: Isolation, placed: Placed) -> LocalConfinement | None:
        """Return how to start a command in the sandbox that it asks for.

        Raises:
            SandboxUnavailable: None that is strong enough works here.
            PlaceRefused: A folder cannot be shown.
            ProgramHidden: The program would not be seen.
        """
        if self._unsafe & {placed.path, _name(placed.path)}:
            return None
        way, proof = await self._chosen(isolation, placed.path)
        seen = sight(isolation, placed, self._private)
        check_program(placed.argv[0], placed.env, seen)
        self._sweep()
        folder = self._place / f"{os.getpid()}-{next(_NUMBERS)}"
        folder.mkdir(parents=True, mode=0o700)
        try:
            made = LocalConfinement(way, proof, isolation, placed, seen, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        if isolation.limits.disk_bytes is not None:
            await asyncio.get_running_loop().run_in_executor(None, made.measure)
        return made

    def _sweep(self) -> None:
        """Remove, once, what a process that was killed has left."""
        if self._is_swept or not self._place.is_dir():
            return
        self._is_swept = True
        for left in self._place.iterdir():
            owner = left.name.partition("-")[0]
            if not Path(f"/proc/{owner}").exists():
                shutil.rmtree(left, ignore_errors=True)

    async def _chosen(self, isolation: Isolation, path: str) -> tuple[Mechanism, Proof]:
        found: list[Proof] = []
        for way in self._ways:
            if isolation.minimum == STRONG and way.level == BASIC:
                continue
            proof = await self._proved(way, isolation)
            if proof.holds:
                return way, proof
            found.append(proof)
        raise refusal(path, isolation, found)

    async def _proved(self, way: Mechanism, isolation: Isolation) -> Proof:
        key = (way.name, isolation.profile)
        if key not in self._proofs:
            loop = asyncio.get_running_loop()
            # Started here, on the thread of the loop: with the thread that starts it a sandbox dies.
            finish = begin(way, isolation.profile)
            self._proofs[key] = asyncio.ensure_future(loop.run_in_executor(None, finish))
        return await asyncio.shield(self._proofs[key])


def begin(way: Mechanism, profile: str) -> Callable[[], Proof]:
    """Start the canary of a mechanism; what is returned waits for its word."""
    missing = way.missing()
    if missing:
        return lambda: Proof(way.name, profile, {}, missing)
    return canary.start(way, Isolation(profile, way.level))


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def cause_of(proof: Proof) -> Cause:
    """Return why a mechanism does not hold, and what to do about it."""
    if proof.leaks:
        listed = "; ".join(f"{name}: {found}" for name, found in proof.leaks.items())
        return Cause(f"{proof.mechanism} lets something through ({listed})", "see `maestri doctor`")
    if proof.mechanism != Bubblewrap.name:
        return Cause(proof.said, "use a newer kernel, or install bubblewrap")
    return causes.not_installed() if "not installed" in proof.said else causes.of_bwrap(proof.said)


def refusal(path: str, isolation: Isolation, proofs: Sequence[Proof]) -> SandboxUnavailable:
    """Return the error for a step whose sandbox is not to be had."""
    name = _name(path)
    why = [cause_of(proof) for proof in proofs] or [Cause("there is none for this system", "run it on Linux")]
    cause = "; ".join(one.words for one in why)
    ways = [why[0].fix]
    if isolation.minimum == STRONG:
        ways.append("take a weaker sandbox where the kernel has Landlock: `minimum: basic`")
    ways.append(f"allow this step without isolation: --unsafe-no-sandbox {name}")
    message = f"step `{name}` asks for isolation, and no sandbox works here: nothing was run"
    detail = {"tried": [{"mechanism": one.mechanism, "said": one.said, "leaks": one.leaks} for one in proofs]}
    return SandboxUnavailable(message, cause=cause, fix="; or ".join(ways), detail=detail)


class LocalConfinement:
    """One command in its sandbox."""

    def __init__(
        self, way: Mechanism, proof: Proof, isolation: Isolation, placed: Placed, seen: Sight, folder: Path
    ) -> None:
        """Prepare its start.

        Args:
            way: The mechanism.
            proof: What its canary has found.
            isolation: What the step asks for.
            placed: The command.
            seen: What it sees.
            folder: A folder of its own, which goes with it.
        """
        self._way, self._isolation, self._folder, self._seen = way, isolation, folder, seen
        self._groups = Groups(isolation.limits, folder.name)
        self._launch = Launch(folder, self._groups.members)
        try:
            self._start = way.argv(isolation, seen, self._launch)
        except BaseException:
            self._groups.close()
            raise
        self._command = list(placed.argv)
        env = {**placed.env, "TMPDIR": way.temporary(self._launch)}
        self.env: Mapping[str, str] = policy.held(env)
        self._kernel = self._held_by_kernel()
        self._watch = Watch(isolation.limits._replace(disk_bytes=None), self._kernel, ())
        self.about: Mapping[str, Any] = self._described(proof)

    @property
    def argv(self) -> Sequence[str]:
        """What is started in the place of the command."""
        return [*self._start, *self._command]

    def _held_by_kernel(self) -> frozenset[str]:
        """Return the limits that need no looking at: those of groups, and of users apart."""
        counts_apart = self._way.name == Bubblewrap.name and os.geteuid() != 0  # the kernel never limits root
        return self._groups.held | ({"processes"} if counts_apart else set())

    def _described(self, proof: Proof) -> dict[str, Any]:
        limits = {
            name: value for name, value in self._isolation.limits._asdict().items() if value is not None
        }
        watched = sorted(self._watch.watched | ({"disk"} if "disk_bytes" in limits else set()))
        weaker = list(self._way.weaker(self._isolation))
        return {
            "mechanism": self._way.name,
            "profile": self._isolation.profile,
            "level": self._way.level,
            "blocked": proof.blocked,
            **({"weaker": weaker} if weaker else {}),
            **({"limits": limits, "watched": watched} if limits else {}),
        }

    def measure(self) -> None:
        """Take what the folders hold now for what the disk limit begins with; may take a while."""
        self._watch = Watch(self._isolation.limits, self._kernel, self._seen.write)

    @property
    def interval_s(self) -> float | None:
        """How often to look at what it uses, in seconds; None where nobody needs to."""
        return self._watch.interval_s

    def look(self, root: int) -> str:
        """Return which limit the tree of processes below `root` has exceeded; an empty text for none."""
        return self._watch.look(root)

    def judge(self, code: int | None, signal: int | None, said: str) -> None:
        """Look at how the command ended.

        Raises:
            LimitExceeded: The system has ended it at a limit.
            SandboxBroken: It was never started in the sandbox.
        """
        limits = self._isolation.limits
        reached = self._groups.reached() if code != 0 else ""
        for limit, value, number in (("cpu", limits.cpu_s, SIGXCPU), ("disk", limits.disk_bytes, SIGXFSZ)):
            if value is not None and (signal == number or code == _BY_SIGNAL + number):
                reached = limit
        if reached:
            raise over(exceeded(reached, limits))
        is_broken = code == _BROKEN_CODE and _BROKEN_SAID in said
        if is_broken or (code is not None and code != 0 and not self._way.has_begun(self._launch)):
            why = said.strip()[-_SAID_BYTES:]
            message = f"the sandbox could not be made, so that the command was not started: {why}"
            fix = "see that the folders of the step are there; `maestri doctor` tries the sandbox"
            raise SandboxBroken(message, fix=fix)

    def close(self) -> None:
        """Remove what was made for it."""
        self._groups.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def over(words: str) -> LimitExceeded:
    """Return the error for a limit that was exceeded."""
    fix = "raise the limit, or give the step less to do"
    return LimitExceeded(f"the command was ended: {words}", fix=fix)


def examine(ways: Sequence[Mechanism] | None = None) -> list[tuple[Mechanism, Proof]]:
    """Return what works here, each mechanism with what its canary has found; for those who look."""
    return [(way, begin(way, CODE)()) for way in (mechanisms() if ways is None else ways)]


def advice(proofs: Sequence[tuple[Mechanism, Proof]]) -> tuple[str, str, str]:
    """Return how things stand (`strong`, `basic` or `none`), that in words, and how to get better ones."""
    for way, proof in proofs:
        if not proof.holds:
            continue
        words = f"{way.name}: its canary had all {len(proof.blocked)} probes blocked; {_limits_of(way)}"
        if way.level == STRONG:
            return STRONG, words, ""
        before = cause_of(proofs[0][1])
        return BASIC, f"{words}. Only for steps with `minimum: basic`: {before.words}", before.fix
    first = cause_of(proofs[0][1]) if proofs else Cause("there is none for this system", "run it on Linux")
    others = "; ".join(cause_of(proof).words for _, proof in proofs[1:])
    words = f"none works; {first.words}" + (f"; {others}" if others else "")
    return "none", f"{words}: a step that asks for one is refused", first.fix


def _limits_of(way: Mechanism) -> str:
    """Return how the limits of a whole tree are held here."""
    groups = Groups(Limits(processes=64, memory_bytes=1 << 28), "look")
    held = groups.held
    groups.close()
    if len(held) == 2:
        return "processes and memory are limited by control groups"
    if way.level == STRONG and os.geteuid() != 0:
        return "processes are limited by the kernel, memory is looked at"
    why = "the kernel does not limit root, and " if os.geteuid() == 0 else ""
    return f"processes and memory are only looked at: {why}no control groups can be made"
