"""A command in a sandbox: what it finds there, how it is ended, and that nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from maestri.errors import ExitFailed, PlaceRefused, ProgramHidden, SandboxBroken
from maestri.kernel.isolation import Isolation
from maestri.sandboxes.bubblewrap import Bubblewrap
from maestri.sandboxes.policy import Launch
from maestri.sandboxes.sight import Sight


def test_a_command_works_in_its_folder_and_its_answer_comes_back(box: Any) -> None:
    assert box.run("cat; pwd; echo made > made", stdin="hello\n") == f"hello\n{box.folder}"
    assert (box.folder / "made").read_text() == "made\n"


def test_an_exit_code_comes_back_as_it_is(box: Any) -> None:
    with pytest.raises(ExitFailed) as caught:
        box.run("echo why >&2; exit 7")
    assert (caught.value.detail["exit_code"], caught.value.detail["stderr"]) == (7, "why")


def test_what_the_sandbox_is_goes_on_record_before_the_command_starts(box: Any, way: Any) -> None:
    with pytest.raises(ExitFailed):
        box.run("exit 1")
    ((what, text, data),) = box.records
    assert (what, data["mechanism"], data["profile"]) == ("sandbox", way.name, "code")
    assert "write outside" in data["blocked"]
    assert text.startswith(f"{way.name}, profile code")


def test_the_step_sees_its_own_environment_and_no_held_variable(box: Any) -> None:
    names = box.run("env | cut -d= -f1", env={"GIVEN": "one\ntwo", "H0": "own"}, output="lines")
    assert {"GIVEN", "H0", "TMPDIR", "MAESTRI_KEY", "PATH"} <= set(names)
    assert not {"H1", "H2", "H3"} & set(names)
    assert box.run('printf %s "$GIVEN"', env={"GIVEN": "one\ntwo"}) == "one\ntwo"


def test_what_a_step_declares_does_not_act_upon_what_stands_before_it(box: Any) -> None:
    env = {"LD_PRELOAD": "/nonexistent.so", "BASH_ENV": "/nonexistent", "PYTHONHOME": "/nonexistent"}
    assert box.run(["/bin/echo", "ok"], env=env) == "ok"


def test_the_repository_of_the_folder_is_only_to_be_read(strong_box: Any) -> None:
    (strong_box.folder / ".git").mkdir()
    assert strong_box.run("touch .git/config 2>/dev/null || echo no") == "no"


def test_a_worktree_shows_its_repository_only_where_that_leads_back(strong_box: Any) -> None:
    own, outside = strong_box.folder / ".git", strong_box.place / "repository"
    place = outside / "worktrees" / "one"
    place.mkdir(parents=True)
    (outside / "config").write_text("[core]")
    (place / "commondir").write_text("../..")
    own.write_text(f"gitdir: {place}\n")
    (place / "gitdir").write_text("/somewhere/else/.git\n")
    assert strong_box.run(f"cat {outside}/config || echo none") == "none"
    (place / "gitdir").write_text(f"{own}\n")
    assert strong_box.run(f"cat {outside}/config; touch {outside}/x 2>/dev/null || echo no") == "[core]no"


def test_a_link_in_the_place_of_a_repository_leads_nowhere(strong_box: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("x")
    (strong_box.folder / ".git").symlink_to(secret)
    assert strong_box.run("cat .git/key 2>/dev/null || echo none") == "none"


def test_a_command_does_not_start_outside_of_what_it_works_on(box: Any, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (box.folder / "link").symlink_to(tmp_path / "keys")
    for place in (str(tmp_path / "keys"), "link", ".."):
        with pytest.raises(PlaceRefused, match="outside of what the step works on"):
            box.run("true", cwd=place)


def test_a_folder_given_by_its_name_is_worked_in(box: Any, tmp_path: Path) -> None:
    (tmp_path / "copy" / "inner").mkdir(parents=True)
    copy = str(tmp_path / "copy")
    assert box.run("touch ../made; pwd", cwd=f"{copy}/inner", folder=copy) == f"{copy}/inner"
    assert (tmp_path / "copy" / "made").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only for root there is something that nobody else may read")
def test_root_finds_neither_private_keys_nor_settings_to_write(strong_box: Any) -> None:
    command = (
        "ls /etc/ssl/private /etc/shadow; cat /proc/sys/vm/overcommit_memory > /proc/sys/vm/overcommit_memory"
    )
    assert strong_box.run(f"({command}) 2>/dev/null || echo none") == "none"


def test_folders_are_shown_on_request(box: Any, tmp_path: Path) -> None:
    for name in ("tools", "cache"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    asked = {"read": [str(tmp_path / "tools")], "write": [str(tmp_path / "cache")]}
    command = f"cat {tmp_path}/tools/file {tmp_path}/cache/file; echo x > {tmp_path}/cache/file"
    assert (
        box.run(f"{command}; (echo x > {tmp_path}/tools/file) 2>/dev/null || echo no", asked)
        == "toolscacheno"
    )
    assert (tmp_path / "cache" / "file").read_text() == "x\n"


@pytest.mark.parametrize("given", ["/", "~", "/nonexistent"])
def test_a_folder_that_shows_too_much_or_is_not_there_is_refused(box: Any, given: str) -> None:
    with pytest.raises(PlaceRefused):
        box.run("true", {"read": [given]})


def test_a_home_folder_is_not_worked_in(box: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(box.folder))
    with pytest.raises(PlaceRefused, match="your home folder"):
        box.run("true")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of another user")
def test_a_folder_of_another_user_is_refused(box: Any) -> None:
    os.chown(box.folder, 65534, 65534)
    with pytest.raises(PlaceRefused, match="another user"):
        box.run("true")


def test_a_program_that_is_not_shown_is_named_with_its_folder(box: Any, tmp_path: Path) -> None:
    program = tmp_path / "tools" / "mine"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho mine")
    program.chmod(0o755)
    with pytest.raises(ProgramHidden, match=str(program)):
        box.run([str(program)])
    assert box.run([str(program)], {"read": [str(program.parent)]}) == "mine"


def test_the_state_of_maestri_is_hidden_in_a_folder_that_holds_it(strong_box: Any) -> None:
    secret = strong_box.place / "state" / "journal"
    secret.write_text("secret")
    strong_box.folder.rmdir()
    strong_box.folder.symlink_to(strong_box.place)
    assert strong_box.run(f"cat {secret} 2>/dev/null || echo none") == "none"


class Breaking(Bubblewrap):
    """Works for the canary, and not for the command."""

    def argv(self, isolation: Isolation, seen: Sight, launch: Launch) -> list[str]:
        made = super().argv(isolation, seen, launch)
        if launch.folder.name != "launch":
            made[made.index("--chdir") + 1] = "/nonexistent"
        return made


def test_a_sandbox_that_fails_is_no_result_of_the_command(
    box_of: Callable[..., Any], bubblewrap: Any
) -> None:
    with pytest.raises(SandboxBroken, match="not started: bwrap: Can't chdir"):
        box_of(Breaking()).run("exit 0", ok=[0, 1])


def test_a_cancelled_command_ends_in_good_order(box: Any) -> None:
    command = "trap 'echo done > ended; exit 0' TERM; touch begun; while :; do sleep 0.01; done"

    async def cancelled() -> None:
        running = asyncio.ensure_future(box.perform(command))
        async with asyncio.timeout(30):
            while not (box.folder / "begun").exists():  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.01)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(cancelled())
    assert (box.folder / "ended").exists()


def test_nothing_of_a_command_is_left_that_has_left_its_session(box: Any) -> None:
    box.run("setsid sh -c 'sleep 60 & sleep 60' >/dev/null 2>&1 & touch made")
    ours = str(box.folder)
    left = [one for one in Path("/proc").glob("[0-9]*") if with_cwd(one) == ours]
    assert (left, list((box.place / "launches").iterdir())) == ([], [])


def with_cwd(process: Path) -> str:
    try:
        return str((process / "cwd").readlink())
    except OSError:
        return ""


def test_a_local_server_of_tests_can_be_reached_under_bubblewrap(strong_box: Any) -> None:
    (strong_box.folder / "server.py").write_text(
        "import socket\n"
        "with socket.create_server(('127.0.0.1', 0)) as server:\n"
        "    with socket.create_connection(server.getsockname()):\n"
        "        print('reached')\n"
    )
    assert strong_box.run(["python3", "server.py"]) == "reached"


def test_a_sandbox_dies_with_whoever_started_it(box_of: Callable[..., Any], bubblewrap: Any) -> None:
    box = box_of(bubblewrap)
    script = (
        "import asyncio, os, sys; sys.path.insert(0, sys.argv[1])\n"
        "import conftest\n"
        "from pathlib import Path\n"
        "box = conftest.Box(Path(sys.argv[2]), (conftest.Bubblewrap(),), [])\n"
        "box.run('touch begun; sleep 100')\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", script, str(Path(__file__).parent), str(box.place)])
    wait_for((box.folder / "begun").exists)
    owner.kill()
    owner.wait()
    wait_for(lambda: not [one for one in Path("/proc").glob("[0-9]*") if with_cwd(one) == str(box.folder)])


def wait_for(holds: Callable[[], object]) -> None:
    async def look() -> None:
        async with asyncio.timeout(60):
            while not holds():  # noqa: ASYNC110 - it happens in other processes
                await asyncio.sleep(0.02)

    asyncio.run(look())
