"""`maestri try` as a newcomer starts it: a real kill, a real conflict, a real landing, and its report."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The folder that was played in, and what was said."""
    desk = tmp_path_factory.mktemp("desk")
    return desk, maestri(desk, "--state", "state", "try", "--dir", "try")


def maestri(desk: Path, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "maestri", *words],
        cwd=desk,
        env={**kept, "MAESTRI_STATE": str(desk / "state"), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def git(desk: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-C", str(desk / "try" / "shop"), *words], check=True, capture_output=True, text=True
    ).stdout


Tried = tuple[Path, subprocess.CompletedProcess[str]]


def test_one_is_killed_and_resumed_and_the_others_are_not_done_again(tried: Tried) -> None:
    _, done = tried
    assert done.returncode == 0, done.stderr
    before, after = done.stdout.split("$ kill -9 ")
    assert ["succeeded /team/fine/do" in part for part in (before, after)] == [True, False]
    assert ["succeeded /team/killed/do" in part for part in (before, after)] == [False, True]


def test_three_land_one_with_a_resolved_conflict_and_two_are_left_out(tried: Tried) -> None:
    _, done = tried
    said = " ".join(done.stdout.split("Closeout of")[1].split())
    for words in (
        "3 of 4 landed on",
        "Proved: no change of these branches is missing",
        "the run was resumed: the process that executed it was gone",
        "left out, combination it breaks together with",
        "/team/stray/commit failed, W114",
        "`shop/cart.py` resolved in commit",
    ):
        assert words in said


def test_it_says_that_the_workers_are_scripts(tried: Tried) -> None:
    assert "The workers are scripts" in tried[1].stdout.split("$ maestri run")[0]


def test_the_checkout_is_as_it_was_and_the_branch_has_what_landed(tried: Tried) -> None:
    desk, _ = tried
    assert git(desk, "status", "--porcelain", "--branch") == "## main\n"
    branch = git(desk, "branch", "--list", "landed/*", "--format=%(refname:short)").strip()
    assert "discount=0, shipping=0" in git(desk, "show", f"{branch}:shop/cart.py")
    assert "340" in git(desk, "show", f"{branch}:tests/test_cart.py")


def test_the_page_is_written_and_loads_nothing(tried: Tried) -> None:
    page = (tried[0] / "try" / "report.html").read_text(encoding="utf-8")
    assert "Closeout of" in page
    assert not any(word in page for word in ("<script", "src=", "href=", "http:", "https:"))


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    done = maestri(tmp_path, "try", "--dir", "mine")
    assert (done.returncode, "error[C001]" in done.stderr) == (2, True)
    assert not list((tmp_path / "mine").iterdir())


def test_a_report_that_cannot_be_written_is_an_error(tried: Tried) -> None:
    desk, done = tried
    name = done.stdout.split("Closeout of ")[1].split(":")[0]
    refused = maestri(desk, "report", name, "-o", "nowhere/report.html")
    assert (refused.returncode, "error[C001]" in refused.stderr) == (2, True)
