"""What `maestri doctor` says of the state directory."""

from pathlib import Path

import pytest

from maestri.cli.health import OK, PROBLEM, examine
from maestri.engines.statedir import StateDir
from maestri.project import Project


@pytest.mark.parametrize(("has_room", "state"), [(True, OK), (False, PROBLEM)])
def test_the_state_directory_is_either_fine_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_room: bool, state: str
) -> None:
    monkeypatch.setattr(StateDir, "has_room", lambda _: has_room)
    tmp_path.chmod(0o700)
    found = [one.state for one in examine(Project(state=str(tmp_path))) if one.what == "state"]
    assert found == [state]
