"""`maestri try`: five scripted workers in a scratch repository; one of them is killed, and the run resumed.

Rule 1: what the workers do is scripted, and it says so; everything else is what any run is.
Rule 2: the moment of the kill is read from the journal, not from a clock: the worker has reported that it is
half-way, and all others have ended.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from maestri.cli import exits
from maestri.cli.report import report_of, write
from maestri.cli.terminal import Terminal
from maestri.cli.try_files import SHOP, WORKERS, WORKFLOW
from maestri.cli.usage import Command, Parser
from maestri.errors import ConfigError
from maestri.kernel import events as ev
from maestri.kernel.ports import RunInfo
from maestri.project import Project
from maestri.report.closeout.html import as_html
from maestri.report.closeout.text import as_text
from maestri.report.wording import one_line
from maestri.workspaces.fresh import fresh

_TEAM: Final = "/team"
_KILLED: Final = f"{_TEAM}/killed"
_OTHERS: Final = 4
_LOOK_S: Final = 0.05
_PATIENCE_S: Final = 25.0  # less than the killed worker waits for its end

_INTRO: Final = """\
Five workers change a small shop at the same time, each in a git worktree of its own:

  fine         adds a receipt
  killed       adds a discount, and is killed with `kill -9` when half of it is written
  conflict     adds shipping, in the same lines as the discount
  combination  renames a function: its own tests pass, those of the receipt do not
  stray        adds labels, and weakens a test that it has not claimed

The workers are scripts, as is what resolves the conflict: no model, no key, no network. Everything else is
real: processes, git, tests, the kill, the journal, the landing and its proof.
"""


def _arguments(parser: Parser) -> None:
    parser.add_argument(
        "--dir", metavar="DIR", help="where to play; it must not be there (default: a temporary one)"
    )
    parser.add_argument("--plain", action="store_true", help="one line an event, also on a terminal")


def _act(options: Any, terminal: Terminal) -> int:
    place = _made(options.dir)
    shop, report = place / "shop", place / "report.html"
    _set_up(place, shop)
    terminal.say(f"{_INTRO}\nThe scripts and the shop are in {one_line(str(place))}\n")
    project = Project(state=options.state, cwd=str(shop))
    # The commands run in the shop, where the name of a folder may mean another one.
    common = [f"--state={project.state.root.absolute()}"]
    plain = ["--plain"] if options.plain else []
    terminal.say(f"$ maestri run try.yaml -i workers={place / 'workers'}")
    inputs = ["-i", f"workers={place / 'workers'}"]
    started = _spawned([*common, "run", str(place / "try.yaml"), *inputs, *plain], shop)

    def resumed(run: RunInfo) -> int:
        return _spawned([*common, "resume", run.name, *plain], shop)

    code = _interrupted(project, started, terminal, resumed)
    run = project.find("@last")
    document = report_of(project, run)
    write(as_html(document), str(report))
    terminal.say("\n" + as_text(document))
    terminal.say(f"The same as a page: {one_line(str(report))}")
    terminal.say(f"Every event of it:  maestri events {run.name}")
    terminal.say(
        f"To remove it all:   maestri workspaces clean --discard {run.name}; rm -r {one_line(str(place))}"
    )
    return code


def _made(directory: str | None) -> Path:
    """Make the folder to play in.

    Raises:
        ConfigError: It is there already, or cannot be made.
    """
    if directory is None:
        return Path(tempfile.mkdtemp(prefix="maestri-try-")).resolve()
    place = Path(directory).absolute()
    try:
        place.mkdir(parents=True)
    except OSError as error:
        message = f"{one_line(str(place))} cannot be used: {error.strerror or error}"
        raise ConfigError(message, fix="name a folder that can be made: `--dir DIR`") from error
    return place


def _set_up(place: Path, shop: Path) -> None:
    fresh(shop, SHOP, "A shop with its tests")
    (place / "workers").mkdir()
    for name, text in WORKERS.items():
        (place / "workers" / name).write_text(text, encoding="utf-8")
    (place / "try.yaml").write_text(WORKFLOW, encoding="utf-8")


def _spawned(words: list[str], cwd: Path) -> int:
    """Begin a command of Maestri in a process of its own, on this terminal; return its process id."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    try:
        os.chdir(cwd)
        # `python3` of the scripts is the one that Maestri runs on: it has what they import.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        os.execve(sys.executable, [sys.executable, "-m", "maestri", *words], {**os.environ, "PATH": path})  # noqa: S606
    finally:
        os._exit(exits.BUG)


def _interrupted(project: Project, child: int, terminal: Terminal, resumed: Callable[[RunInfo], int]) -> int:
    """Kill a run when one worker is half-way, and resume it; return the exit code of what ended it."""
    try:
        run = _half_way(project, child)
        if run is None:
            return _code(child)
    except BaseException:
        os.kill(child, signal.SIGTERM)  # it must not go on behind the back of who has interrupted this
        os.waitpid(child, 0)
        raise
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    terminal.say(f"\n$ kill -9 {child}    (`killed` had reported that the first half is written)")
    terminal.say(f"$ maestri resume {run.name}\n")
    return _code(resumed(run))


def _code(child: int) -> int:
    """Return the exit code of a process at its end; an interruption at the terminal reaches it, too."""
    while True:
        try:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        except KeyboardInterrupt:
            continue


def _half_way(project: Project, child: int) -> RunInfo | None:
    """Wait until one worker is half-way and all others have ended; None where that never came to be."""
    until = time.monotonic() + _PATIENCE_S
    while _is_alive(child) and time.monotonic() < until:
        time.sleep(_LOOK_S)
        runs = project.runs()
        if runs and _is_half_way(project, runs[-1]):
            return runs[-1]
    return None


def _is_alive(child: int) -> bool:
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def _is_half_way(project: Project, run: RunInfo) -> bool:
    reader = project.reader(run)
    try:
        events = reader.events()
    finally:
        reader.close()
    ended = sum(event.scope == _TEAM and event.kind in ev.SCOPE_ENDS for event in events)
    reported = any(event.kind == ev.REPORTED and event.path.startswith(_KILLED) for event in events)
    return reported and ended == _OTHERS


command = Command(_arguments, _act)
