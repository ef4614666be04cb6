"""The port through which commands are started in a sandbox, and what a step says of the one it wants.

Rule 1: a step that asks for isolation never runs without it: whoever cannot give it raises.
Rule 2: what was asked travels in the request as it was written (`code`, or a mapping), so that a worker
elsewhere reads the same words; `read_isolation` is the one place that understands them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NoReturn, Protocol

from maestri.errors import SandboxUnsupported
from maestri.records import NamedTuple
from maestri.values import Json

NONE: Final = "none"
AGENT: Final = "agent"  # a vendor's program: it needs the network, and may make a sandbox of its own
CODE: Final = "code"  # code that nobody has read: no network
PROFILES: Final = (NONE, AGENT, CODE)
STRONG: Final = "strong"
BASIC: Final = "basic"
MINIMUMS: Final = (STRONG, BASIC)
KEYS: Final = ("profile", "minimum", "limits", "read", "write")
LIMITS: Final = ("cpu", "memory", "processes", "disk", "wall")
REQUEST: Final = "sandbox"  # the key of a request
FOLDER: Final = "folder"  # the key of a request: what is worked on, where that is more than `cwd`

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES: Final = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 1 << 10, "MiB": 1 << 20}
_SIZES: Final = {**_BYTES, "GiB": 1 << 30}
_PART = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)(ms|[smhd])")
_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)\s*([A-Za-z]+)\Z")
_LEAST_BYTES: Final = 1 << 20  # with less nothing starts
_LONGEST_S: Final = 3650 * 86400.0
_MOST_BYTES: Final = 1 << 50
_MOST_PROCESSES: Final = 1 << 22  # more process ids than this no Linux has


class Limits(NamedTuple):
    """What a command and all that it starts may use together; None is no limit."""

    cpu_s: float | None = None
    memory_bytes: int | None = None
    processes: int | None = None
    disk_bytes: int | None = None
    wall_s: float | None = None


class Isolation(NamedTuple):
    """The sandbox that a step asks for.

    `read` and `write` are folders that it sees beside the one it works in; `minimum` is how strong a sandbox
    must be at least.
    """

    profile: str = NONE
    minimum: str = STRONG
    limits: Limits = Limits()
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()


class Unfit(ValueError):
    """What was written of a sandbox cannot be used; `keys` lead to the part that is meant.

    `more` is what else is wrong, each for itself.
    """

    def __init__(self, message: str, cause: str, fix: str, keys: tuple[str, ...] = ()) -> None:
        """Say what, why, what to do, and where."""
        super().__init__(message)
        self.message, self.cause, self.fix, self.keys = message, cause, fix, keys
        self.more: list[Unfit] = []


class Placed(NamedTuple):
    """A command that is to be started in a sandbox.

    `folder` is what is worked on, and the only place of the user's that it may write to; `cwd` lies in it.
    `writable` and `readable` are what Maestri itself gives it beside that.
    """

    run: str
    path: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    folder: str
    writable: Sequence[str] = ()
    readable: Sequence[str] = ()


class Confinement(Protocol):
    """One command in its sandbox, from before its start to after its end."""

    @property
    def argv(self) -> Sequence[str]:
        """What is started in the place of the command."""
        ...

    @property
    def env(self) -> Mapping[str, str]:
        """The environment to start it with."""
        ...

    @property
    def about(self) -> Mapping[str, Any]:
        """What goes on record: the mechanism, the profile, and what its canary has found."""
        ...

    @property
    def interval_s(self) -> float | None:
        """How often to look at what it uses, in seconds; None where nobody needs to."""
        ...

    def look(self, root: int) -> str:
        """Return which limit the tree of processes below `root` has exceeded; an empty text for none.

        It may take a while, and is called on a thread of its own.
        """
        ...

    def judge(self, code: int | None, signal: int | None, said: str) -> None:
        """Look at how the command ended: with an exit code or by a signal, and what it last said.

        Raises:
            LimitExceeded: The system has ended it at a limit.
            SandboxBroken: It was never started in the sandbox.
        """
        ...

    def close(self) -> None:
        """Remove what was made for it; nothing of it runs any more."""
        ...


class Sandboxes(Protocol):
    """Gives commands their sandboxes."""

    async def confine(self, isolation: Isolation, placed: Placed) -> Confinement | None:
        """Return how to start a command in the sandbox that it asks for.

        Returns:
            None where the user has allowed this one step to run without a sandbox.

        Raises:
            SandboxUnavailable: No sandbox that is strong enough works here.
            PlaceRefused: A folder that it would see cannot be shown.
        """
        ...


def read_isolation(given: Json) -> Isolation:
    """Return what was asked: a profile, or a mapping with more.

    Raises:
        Unfit: It cannot be used; says why, and what to write.
    """
    if isinstance(given, str):
        return Isolation(_word(given, PROFILES, "a sandbox", ()))
    if not isinstance(given, dict):
        _refuse("`sandbox` must be a profile or a mapping", "it says how a command is held", _AS_PROFILE)
    unknown = [
        Unfit(f"`sandbox` has no key `{key[:60]}`", "it could not mean anything", _one_of(KEYS), (key,))
        for key in given
        if key not in KEYS
    ]
    found = _each(
        {
            "profile": lambda: _word(given.get("profile", CODE), PROFILES, "the profile", ("profile",)),
            "minimum": lambda: _word(given.get("minimum", STRONG), MINIMUMS, "`minimum`", ("minimum",)),
            "limits": lambda: _limits(given.get("limits", {})),
            "read": lambda: _folders(given.get("read", []), "read"),
            "write": lambda: _folders(given.get("write", []), "write"),
        },
        unknown,
    )
    return Isolation(**found)


def _each(readers: Mapping[str, Callable[[], Any]], wrong: list[Unfit]) -> dict[str, Any]:
    """Return what all readers give.

    Raises:
        Unfit: With everything that is wrong.
    """
    found = {}
    for name, read in readers.items():
        try:
            found[name] = read()
        except Unfit as unfit:
            wrong += [unfit, *unfit.more]
    if wrong:
        wrong[0].more = wrong[1:]
        raise wrong[0]
    return found


def isolation_of(request: Mapping[str, Any]) -> Isolation | None:
    """Return what a request asks for, None where it asks for no sandbox.

    Raises:
        Unfit: It cannot be used.
    """
    if request.get(REQUEST) is None:
        return None
    asked = read_isolation(request[REQUEST])
    return None if asked.profile == NONE else asked


def refuse_isolation(request: Mapping[str, Any], why: str) -> None:
    """Refuse a request that asks for a sandbox, for whoever cannot give it.

    Raises:
        SandboxUnsupported: It does; `why` says what is in the way.
    """
    given = request.get(REQUEST)
    if given not in (None, NONE, {"profile": NONE}):
        message = "what this step does cannot be put into a sandbox: nothing was run"
        fix = "let a command do it (`run: [python, -m, …]`), or write `sandbox: none`"
        raise SandboxUnsupported(message, cause=why, fix=fix)


_AS_PROFILE: Final = f"write one of: {', '.join(PROFILES)}"


def _refuse(message: str, cause: str, fix: str, keys: tuple[str, ...] = ()) -> NoReturn:
    raise Unfit(message, cause, fix, keys)


def _one_of(words: Sequence[str]) -> str:
    return f"use one of: {', '.join(words)}"


def _word(given: Json, words: Sequence[str], what: str, keys: tuple[str, ...]) -> str:
    if not isinstance(given, str) or given not in words:
        shown = given[:60] if isinstance(given, str) else "anything but a word"
        _refuse(f"{what} cannot be `{shown}`", "only these words mean something here", _one_of(words), keys)
    return given


def _folders(given: Json, key: str) -> tuple[str, ...]:
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list):
        _refuse(
            f"`{key}` must be a list of paths", "it names what is shown", f"write `{key}: [~/.cargo]`", (key,)
        )
    found = tuple(one for one in listed if isinstance(one, str))
    for one in found:
        if not one.startswith(("/", "~")) or "\0" in one or "${" in one or ".." in one.split("/"):
            cause, fix = (
                "what is shown must not depend on where a step works",
                "write an absolute path, or `~/…`",
            )
            _refuse(f"`{one[:60]}` cannot be shown in a sandbox", cause, fix, (key,))
    if len(found) < len(listed):
        _refuse(
            f"`{key}` must be a list of paths",
            "something else is in it",
            f"write `{key}: [~/.cargo]`",
            (key,),
        )
    return found


def _limits(given: Json) -> Limits:
    if not isinstance(given, dict):
        fix = "write `limits: {memory: 500MB, wall: 10m}`"
        _refuse("`limits` must be a mapping", "each limit has a name", fix, ("limits",))
    unknown = [
        Unfit(
            f"there is no limit `{key[:60]}`", "nothing is counted under it", _one_of(LIMITS), ("limits", key)
        )
        for key in given
        if key not in LIMITS
    ]
    return Limits(
        **_each(
            {
                "cpu_s": lambda: _seconds(given.get("cpu"), "cpu"),
                "memory_bytes": lambda: _size(given.get("memory"), "memory"),
                "processes": lambda: _count(given.get("processes")),
                "disk_bytes": lambda: _size(given.get("disk"), "disk"),
                "wall_s": lambda: _seconds(given.get("wall"), "wall"),
            },
            unknown,
        )
    )


def _seconds(given: Json, key: str) -> float | None:
    if given is None:
        return None
    found = 0.0
    if isinstance(given, str) and _PART.sub("", given.strip()) == "":
        found = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(given))
    if not 0 < found <= _LONGEST_S:
        cause, fix = "it is counted in time, and must be more than none", "write `30s`, `10m` or `2h`"
        _refuse(f"the limit `{key}` is not a length of time", cause, fix, ("limits", key))
    return found


def _size(given: Json, key: str) -> int | None:
    if given is None:
        return None
    found = 0
    if isinstance(given, int) and not isinstance(given, bool):
        found = given
    elif isinstance(given, str) and (parts := _SIZE.match(given.strip())) and parts[2] in _SIZES:
        found = round(float(parts[1]) * _SIZES[parts[2]])
    if not _LEAST_BYTES <= found <= _MOST_BYTES:
        cause, fix = "it is counted in bytes, from 1 MiB", "write `200MB` or `2GB`"
        _refuse(f"the limit `{key}` is not a size that can be used", cause, fix, ("limits", key))
    return found


def _count(given: Json) -> int | None:
    if given is None:
        return None
    if not isinstance(given, int) or isinstance(given, bool) or not 1 <= given <= _MOST_PROCESSES:
        cause, fix = "processes are counted in whole numbers", "write `64`"
        _refuse("the limit `processes` is not a number of processes", cause, fix, ("limits", "processes"))
    return given
