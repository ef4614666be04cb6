"""Record the runs that every later version must be able to read, once for each release.

    python -m tests.replay.record VERSION

The runs are executed by the command line as it is now, in a folder of a fixed name, since that name is
stored. A folder of this version is written beside this file: the journal, and what today's code makes of it.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from tests.replay.reading import folded, lines, opened, text_of

HERE = Path(__file__).parent
PLACE = Path("/tmp/maestri-replay")  # it stands in the journals
STATE = PLACE / "state"


def maestri(*words: str) -> subprocess.Popen[bytes]:
    """Start a command in the folder."""
    environment = {"PATH": os.environ["PATH"], "MAESTRI_STATE": str(STATE), "TZ": "UTC"}
    command = [sys.executable, "-m", "maestri", *words]
    return subprocess.Popen(command, cwd=PLACE, env=environment, start_new_session=True)


def until_napping(workflow: str) -> None:
    """Wait until the last run is of this workflow and has begun its slow step."""
    for _ in range(500):
        with opened(STATE, PLACE) as project:
            run = project.runs()[-1]
            if run.workflow == workflow and '"path": "/crowd/slow/nap"' in "\n".join(lines(project, run)):
                return
        time.sleep(0.02)
    message = f"the slow step of {workflow} never began"
    raise TimeoutError(message)


def perform() -> None:
    """Execute every run to the state that it is to be kept in."""
    maestri("run", "everything.yaml").wait()
    maestri("run", "failed.yaml").wait()
    maestri("run", "reopened.yaml").wait()
    (PLACE / "mended").touch()
    maestri("resume", "@last").wait()
    maestri("run", "waiting.yaml").wait()
    interrupted = maestri("run", "interrupted.yaml")
    until_napping("interrupted")
    os.killpg(interrupted.pid, signal.SIGKILL)
    interrupted.wait()
    cancelled = maestri("run", "cancelled.yaml")
    until_napping("cancelled")
    cancelled.send_signal(signal.SIGINT)
    cancelled.wait()


def main(version: str) -> None:
    """Write the folder of a version."""
    shutil.rmtree(PLACE, ignore_errors=True)
    shutil.copytree(HERE / "definitions", PLACE)
    perform()
    target = HERE / version
    target.mkdir()
    with closing(sqlite3.connect(STATE / "journal-0001.db")) as db:
        db.execute("pragma wal_checkpoint(truncate)")
    shutil.copyfile(STATE / "journal-0001.db", target / "journal-0001.db")
    with opened(STATE, PLACE) as project:
        for run in project.runs():
            (target / f"{run.workflow}.jsonl").write_text(
                "\n".join(lines(project, run)) + "\n", encoding="utf-8"
            )
            (target / f"{run.workflow}.json").write_text(text_of(folded(project, run)), encoding="utf-8")
    shutil.rmtree(PLACE)


if __name__ == "__main__":
    main(sys.argv[1])
