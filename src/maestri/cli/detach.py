"""Runs a command in a process of its own that outlives the terminal; the caller hears that it has begun.

Rule 1: the process is made before there is an event loop; nothing of one survives a fork.
Rule 2: what goes wrong before there is a run is told to the caller; after that it goes to the run's own log.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from maestri.cli import exits
from maestri.cli.bug import report_bug
from maestri.cli.terminal import Terminal
from maestri.errors import DefinitionError, InternalError, MaestriError
from maestri.kernel.ports import RunInfo
from maestri.report.wording import clean, one_line

LOG = "output.log"

Act = Callable[[Callable[[RunInfo], None], Terminal], int]


def detached(terminal: Terminal, log_folder: Callable[[RunInfo], Path], act: Act, *, wants_json: bool) -> int:
    """Do something in a process without a terminal; return when it has a run, or has failed before.

    Args:
        terminal: Where the caller is told.
        log_folder: Where the log of a run goes.
        act: What to do; it calls what it is given as soon as there is a run, and returns an exit code.
        wants_json: Tell the caller in JSON.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.setsid()
        if os.fork() > 0:
            os._exit(0)
        _work(writing, log_folder, act)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        word = pipe.readline()
    if not word:
        raise InternalError("the detached process ended without a word")
    return _told(terminal, json.loads(word), wants_json=wants_json)


def _told(terminal: Terminal, word: dict[str, Any], *, wants_json: bool) -> int:
    if "name" in word:
        if wants_json:
            terminal.say_json({**word, "status": "running"})
        else:
            terminal.say(f"run {one_line(word['name'])}")
        return exits.SUCCEEDED
    if wants_json:
        terminal.say_json({"status": "error", "diagnostics": word["diagnostics"]})
    else:
        terminal.tell(clean(word["text"]))
    return int(word["exit"])


def _work(writing: int, log_folder: Callable[[RunInfo], Path], act: Act) -> NoReturn:
    """The detached process, to its end."""
    has_run = False

    def created(run: RunInfo) -> None:
        nonlocal has_run
        has_run = True
        _redirect(log_folder(run) / LOG)
        _tell(writing, {"run": run.id, "name": run.name, "workflow": run.workflow})

    code = exits.BUG
    try:
        _redirect(Path(os.devnull))
        code = act(created, Terminal(sys.stdout, sys.stderr, os.environ))
    except MaestriError as error:
        code = exits.of_error(error)
        found = error.diagnostics if isinstance(error, DefinitionError) else [error.diagnostic]
        _last_word(
            writing, has_run, code, [one.as_json() for one in found], "\n\n".join(o.text() for o in found)
        )
    except BaseException as error:  # the process has no caller that could see it  # noqa: BLE001
        bug = report_bug(error, sys.argv[1:])
        _last_word(writing, has_run, code, [bug.as_json()], bug.text())
    finally:
        os._exit(code)


def _last_word(writing: int, has_run: bool, code: int, found: list[dict[str, Any]], text: str) -> None:
    if has_run:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    else:
        _tell(writing, {"exit": code, "diagnostics": found, "text": text})


def _tell(writing: int, word: dict[str, Any]) -> None:
    data = (json.dumps(word) + "\n").encode()
    while data:
        data = data[os.write(writing, data) :]
    os.close(writing)


def _redirect(file: Path) -> None:
    """Let standard input be empty, and both outputs go to a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(log)
