"""`maestri prove`, as a user starts it on a history that others have made."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.landing.ground import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Two branches, of which `ui` was merged by somebody who took `ours` for all of it."""
    found = Repository(tmp_path / "repository", {"a": "one\ntwo\n"})
    found.branch("api", {"api.py": "def api():\n    return 1\n"})
    found.branch("ui", {"a": "one\nTWO\n"})
    found.git("merge", "-q", "--no-ff", "-m", "m", "api")
    found.git("merge", "-q", "-s", "ours", "-m", "m", "ui")
    return found


def prove(repository: Repository, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MAESTRI_STATE": str(repository.place.parent / "state"), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "maestri", "prove", *words]
    return subprocess.run(
        command, cwd=repository.place, env=environment, capture_output=True, text=True, check=False
    )


def test_a_lost_change_is_named_with_its_lines_and_the_command_ends_with_1(repository: Repository) -> None:
    before = repository.state()
    said = prove(repository, "main", "api", "ui")
    head = repository.git("rev-parse", "main")[:12]
    assert (said.returncode, said.stderr) == (1, "")
    assert said.stdout.splitlines()[2:] == [
        "`ui` a:2: lost",
        "    -two",
        "    +TWO",
        f"not proved: 1 change lost in {head}",
    ]
    assert repository.state() == before


def test_what_is_whole_is_proved_and_json_says_the_same(repository: Repository) -> None:
    said = prove(repository, "main", "api", "--json")
    document = json.loads(said.stdout)
    assert (said.returncode, document["proved"], document["present"], document["lost"]) == (0, True, 1, [])


def test_a_branch_that_was_only_moved_needs_a_base(repository: Repository) -> None:
    repository.git("branch", "moved", "api")
    said = prove(repository, "moved", "api", "ui")
    assert (said.returncode, "error[G130]" in said.stderr, "--base REV" in said.stderr) == (1, True, True)
    assert prove(repository, "moved", "api", "api~0", "--base", "api~1").returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("main", "api", "api"), "named twice"),
        (("main", "main"), "is the result itself"),
        (("main", "nowhere"), "there is no branch or commit `nowhere`"),
    ],
)
def test_names_that_do_not_fit_are_refused(repository: Repository, words: tuple[str, ...], said: str) -> None:
    assert said in prove(repository, *words).stderr
