"""A folder where `maestri` executes a run whose steps write outside the journal what they do."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections import Counter
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from tests.crash.fixed import RUN_ID
from tests.crash.strike import HANGS, Ended, Strike, calls_of, lived, traced

from maestri.engines.sqlite.catalog import Catalog
from maestri.engines.sqlite.reader import RunReader
from maestri.engines.sqlite.verify import verify
from maestri.engines.statedir import StateDir

PROGRAM = Path(__file__).with_name("fixed.py")
# What may happen; whatever else is counted of a run breaks a promise.
GOOD = ("faults", "kills", "went on", "told", "acknowledged")

# Each step writes down that it has begun, with a number that no other execution of it has.
FLOW = """\
workflow: flow
steps:
  first: {run: 'echo "/first $$" >>log; echo $$'}
  large:
    run: |
      echo "/large $$" >>log
      head -c 1100000 /dev/zero | tr "\\\\0" x | dd bs=2M iflag=fullblock status=none
  both:
    parallel:
      branches:
        left: {run: 'echo "/both/left $$" >>log; echo $$'}
        right: {run: 'echo "/both/right $$" >>log; echo $$'}
  go: {ask: go on?, options: [yes, no]}
  last: {run: 'echo "/last $$" >>log; echo $$'}
output: "/first ${first} /both/left ${both.left} /both/right ${both.right} /last ${last} /go ${go}"
"""


class Desk:
    """A folder with a workflow, the log of its steps, and what `maestri` has said to be done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.state = self.folder / "state"
        self.known: dict[str, str] = {}
        self.repeated = 0
        self.said = ""  # by a command that should have brought the run on, and did not
        self._is_answered = False
        self._read = self._done = 0
        self._tape = self.folder.with_name("tape")

    def clear(self, template: Path | None = None) -> None:
        """Begin anew, or with what a scene before this one has left."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if template is None:
            self.folder.mkdir()
            (self.folder / "flow.yaml").write_text(FLOW)
        else:
            shutil.copytree(template, self.folder)
        self.known, self.repeated, self._is_answered = {}, 0, False
        self._read = self._done = 0
        self.said = ""
        self.look("")

    def keep(self, template: Path) -> Path:
        """Keep what there is now for scenes to begin with."""
        (self.state / "reserve").write_bytes(b"")  # 16 MB of nothing would only make it slow
        shutil.copytree(self.folder, template)
        return template

    def lines(self) -> list[tuple[str, str]]:
        log = self.folder / "log"
        words = log.read_text().split() if log.exists() else []
        return list(zip(words[::2], words[1::2], strict=True))

    def look(self, said: str) -> None:
        """Take in what the steps have written, then what was said to have succeeded."""
        lines = self.lines()
        self.repeated += sum(path in self.known for path, _ in lines[self._read :])
        self._read = len(lines)
        values = dict(lines)
        for path in re.findall(r"succeeded (/\S+)", said):
            if path in values:
                self.known.setdefault(path, values[path])
        if "the answer is stored" in said:
            self._is_answered = True

    def do(self, *words: str, struck: Strike | None = None, trace: bool = False) -> Ended:
        """Carry out a command, traced where something is to be struck or recorded."""
        self._done += 1
        seed = 0 if struck or trace else self._done  # files that are struck have the names that were recorded
        command = [sys.executable, str(PROGRAM), str(seed), *words]
        env = {"PATH": os.environ["PATH"], "MAESTRI_STATE": str(self.state), "LC_ALL": "C.UTF-8"}
        if struck or trace:
            ended = traced(command, self._tape, struck, cwd=self.folder, env=env)
        else:
            code, said = lived(command, cwd=self.folder, env=env)
            ended = Ended(code, said, 0)
        self.look(ended.said)
        return ended

    def recorded(self, *words: str) -> list[tuple[str, str, int]]:
        """Carry out a command and return its calls to files of the state directory."""
        self.do(*words, trace=True)
        return calls_of(self._tape, self.state)

    def recovers(self) -> bool:
        """Bring the run to its end without any fault; tell whether that was possible."""
        for _ in range(4):
            done = self.do("resume", "@last")
            if done.code == 0 or "E508" in done.said:
                return True
            if done.code == 3 and not self._is_answered:
                self.do("answer", "@last", "/go", "yes")
            elif "E501" in done.said and not self.lines():
                self.do("run", "flow.yaml")  # it had not come to be
            else:
                self.said = done.said
                return False
        return False

    def wrong(self) -> tuple[int, list[str]]:
        """Return how many acknowledged outputs the ended run lacks, and what is damaged."""
        with closing(Catalog(StateDir(self.state))) as catalog:
            damage = [finding.message for finding in verify(catalog, RUN_ID)]
            *_, last = RunReader(catalog, RUN_ID).events(limit=1000)
        words = str(last.body["output"]).split()
        output = dict(zip(words[::2], words[1::2], strict=True))
        damage += [] if output["/go"] == "yes" else ["the answer is not the one that was given"]
        kept = list((self.state / "artifacts").glob("??/*"))
        damage += [file.name for file in kept if sha256(file.read_bytes()).hexdigest() != file.name]
        lost = sum(output.get(path, value) != value for path, value in self.known.items())
        return lost + (not kept), damage


def objection(ended: Ended) -> str:
    """Return what is wrong with how a command that met with a fault has ended; nothing when all is well."""
    if "Traceback" in ended.said or ended.code == 70:
        return "traceback"
    if ended.code == HANGS:
        return "hangs"
    if ended.code not in {0, 1, 3, -9}:
        return f"code {ended.code}"
    if ended.code == 1 and not re.search(r"error\[[A-Z]\d+\].*\n(?s:.*)^  fix: \S", ended.said, re.MULTILINE):
        return "no diagnostic"
    return ""


def outcome(desk: Desk, ended: Ended) -> Counter[str]:
    """Return what has become of a run after a command that met with a fault."""
    found: Counter[str] = Counter(faults=int(ended.struck > 0), kills=int(ended.code == -9))
    found["went on"] = ended.code in {0, 3}
    found["told"] = ended.code == 1
    if bad := objection(ended):
        found[bad] += 1
    if not desk.recovers():
        return found + Counter(stuck=1)
    lost, damage = desk.wrong()
    found += Counter(acknowledged=len(desk.known), lost=lost, damaged=len(damage), repeated=desk.repeated)
    return found
