"""Nothing comes through a sandbox that must not: each mechanism and profile, as root and as somebody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from maestri.kernel.isolation import AGENT, BASIC, CODE, Isolation
from maestri.sandboxes import canary, policy, probes
from maestri.sandboxes.landlock import Landlock
from maestri.sandboxes.policy import Launch, Mechanism
from maestri.sandboxes.sight import Sight
from sources import SRC
from tally import tally

NOBODY = 65534
NO_SANDBOX = {"network": True, "scoped": False, "filter": "", "limits": {}, "drop": False}
SCRIPT = """
import json, sys
from maestri.kernel.isolation import Isolation
from maestri.sandboxes import canary
from maestri.sandboxes.bubblewrap import Bubblewrap
from maestri.sandboxes.landlock import Landlock
way = {"bubblewrap": Bubblewrap, "landlock": Landlock}[sys.argv[1]]()
print(json.dumps(canary.start(way, Isolation(sys.argv[2], way.level))()))
"""


class Bare(Landlock):
    """No sandbox at all, in the shape of one."""

    def argv(self, isolation: Isolation, seen: Sight, launch: Launch) -> list[str]:
        (launch.folder / "tmp").mkdir()
        return policy.inner(NO_SANDBOX)


@pytest.mark.parametrize("profile", [CODE, AGENT])
def test_every_probe_is_blocked(way: Mechanism, profile: str) -> None:
    proof = canary.start(way, Isolation(profile, way.level))()
    tally("sandbox probes", 0, probes=len(proof.probes), blocked=len(proof.probes) - len(proof.leaks))
    assert (proof.leaks, proof.said) == ({}, "")
    assert set(proof.blocked) == set(canary.wanted(way, Isolation(profile))) - {canary.WORKS}


def test_without_a_sandbox_every_probe_comes_through() -> None:
    proof = canary.start(Bare(), Isolation(CODE, BASIC))()
    quiet = {"variables", canary.WORKS}  # what is given to it is ours to say, sandbox or not
    if os.geteuid() != 0:
        quiet |= {"kernel settings", "user namespace"}  # these the system may refuse by itself
    proof = proof._replace(probes={name: found for name, found in proof.probes.items() if name not in quiet})
    assert set(proof.leaks) == set(canary.wanted(Bare(), Isolation(CODE))) - quiet


def test_a_variable_that_was_not_given_comes_through_to_its_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    assert probes.variables({"names": ["PATH"]}).count("SECRET_TOKEN") == 1


def test_code_gets_more_probes_than_the_program_of_a_vendor(way: Mechanism) -> None:
    code, agent = (set(canary.wanted(way, Isolation(one))) for one in (CODE, AGENT))
    assert code - agent == {"tcp", "udp", "user namespace"}
    assert agent < code


def interpreter() -> str:
    """Return a Python that nobody in particular may start, which one in a home is not."""
    for one in dict.fromkeys([os.path.realpath(sys.executable), "/usr/bin/python3"]):
        check = "import sys; sys.exit(sys.version_info < (3, 11))"
        try:
            if subprocess.run([one, "-c", check], user=NOBODY, group=NOBODY, check=False).returncode == 0:
                return one
        except OSError:
            continue
    pytest.skip("no Python 3.11 is open to other users of this machine")


@pytest.mark.skipif(os.geteuid() != 0, reason="these tests run as an ordinary user already")
@pytest.mark.parametrize("profile", [CODE, AGENT])
def test_every_probe_is_blocked_for_an_ordinary_user(way: Mechanism, profile: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [interpreter(), "-c", SCRIPT, way.name, profile],
        env={"PYTHONPATH": str(readable(SRC.parent)), "HOME": "/nonexistent"},
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    _, _, found, said = json.loads(done.stdout)
    tally("sandbox probes", 0, probes=len(found), blocked=list(found.values()).count("blocked"))
    assert (set(found.values()), said) == ({"blocked"}, "")


def readable(folder: Path) -> Path:
    """Return a folder that nobody in particular can read; skip where the project lies in a home."""
    look = subprocess.run(["/bin/ls", folder], user=NOBODY, group=NOBODY, capture_output=True, check=False)
    if look.returncode != 0:
        pytest.skip("the project lies where other users cannot read it")
    return folder
