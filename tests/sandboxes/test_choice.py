"""Which sandbox a step gets, and what is said where there is none: never less than it asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from maestri.errors import InputInvalid, SandboxUnavailable
from maestri.kernel.isolation import BASIC, STRONG, Isolation, Placed
from maestri.sandboxes.bubblewrap import Bubblewrap
from maestri.sandboxes.landlock import Landlock
from maestri.sandboxes.local import LocalSandboxes, advice, examine
from maestri.sandboxes.policy import Mechanism

REFUSED = "/bin/sh"  # in the place of bwrap: it fails


class Missing(Landlock):
    """A kernel without Landlock."""

    def missing(self) -> str:
        return "Landlock needs Linux 6.2 or newer; this kernel has none, or has it switched off"


class Leaky(Bubblewrap):
    """A sandbox that shows one folder too many: the canary's own, with its secrets."""

    def argv(self, isolation: Any, seen: Any, launch: Any) -> list[str]:
        above = str(Path(seen.cwd).parent)
        return super().argv(isolation, seen._replace(read=(*seen.read, above)), launch)


def placed(tmp_path: Path, path: str = "/build/check") -> Placed:
    (tmp_path / "work").mkdir(exist_ok=True)
    folder = str(tmp_path / "work")
    return Placed("run", path, ["true"], {"PATH": "/usr/bin:/bin"}, folder, folder)


def confine(tmp_path: Path, ways: tuple[Mechanism, ...], minimum: str, unsafe: tuple[str, ...] = ()) -> Any:
    sandboxes = LocalSandboxes(tmp_path / "launches", tmp_path / "state", ways=ways, unsafe=unsafe)
    asked = Isolation("code", minimum)

    async def once() -> Any:
        made = await sandboxes.confine(asked, placed(tmp_path))
        if made is None:
            return None
        made.close()
        return made.about["mechanism"]

    return asyncio.run(once())


def test_the_strong_one_is_taken_where_it_works(tmp_path: Path, bubblewrap: Mechanism) -> None:
    assert confine(tmp_path, (bubblewrap, Landlock()), BASIC) == "bubblewrap"


def test_the_basic_one_is_taken_only_by_who_asks_for_no_more(tmp_path: Path) -> None:
    broken = Bubblewrap(REFUSED)
    assert confine(tmp_path, (broken, Landlock()), BASIC) == "landlock"
    with pytest.raises(SandboxUnavailable) as caught:
        confine(tmp_path, (broken, Landlock()), STRONG)
    assert (
        "step `check` asks for isolation, and no sandbox works here: nothing was run" in caught.value.message
    )
    assert "minimum: basic" in caught.value.fix
    assert "--unsafe-no-sandbox check" in caught.value.fix


def test_with_no_sandbox_at_all_the_step_is_refused_with_each_reason(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable) as caught:
        confine(tmp_path, (Bubblewrap(REFUSED), Missing()), BASIC)
    assert "bwrap has failed" in caught.value.cause
    assert "Landlock needs Linux 6.2" in caught.value.cause
    assert [one["mechanism"] for one in caught.value.detail["tried"]] == ["bubblewrap", "landlock"]


def test_a_sandbox_that_leaks_is_not_taken(tmp_path: Path, bubblewrap: Mechanism) -> None:
    with pytest.raises(SandboxUnavailable, match="nothing was run") as caught:
        confine(tmp_path, (Leaky(),), STRONG)
    assert "read outside" in caught.value.cause


@pytest.mark.parametrize("named", ["check", "/build/check"])
def test_a_step_that_the_user_has_named_may_run_without(tmp_path: Path, named: str) -> None:
    assert confine(tmp_path, (), STRONG, (named,)) is None


def test_no_other_step_may(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable):
        confine(tmp_path, (), STRONG, ("build",))


def test_a_canary_is_started_once_for_many_commands(tmp_path: Path) -> None:
    started = []

    class Counted(Landlock):
        def missing(self) -> str:
            started.append(1)
            return super().missing()

    sandboxes = LocalSandboxes(tmp_path / "launches", tmp_path / "state", ways=(Counted(),))

    async def many() -> None:
        asked = Isolation("code", BASIC)
        made = await asyncio.gather(*(sandboxes.confine(asked, placed(tmp_path)) for _ in range(5)))
        for one in made:
            assert one is not None
            one.close()

    asyncio.run(many())
    assert len(started) == 1


def test_what_is_asked_in_words_that_mean_nothing_is_refused(box_of: Callable[..., Any]) -> None:
    with pytest.raises(InputInvalid, match="the profile cannot be"):
        box_of(Landlock()).run("true", {"profile": "docker"})


def test_people_are_told_what_works_and_how_to_get_better() -> None:
    how, words, fix = advice(examine([Bubblewrap(REFUSED), Landlock()]))
    assert (how, words.startswith("landlock: its canary had all")) == ("basic", True)
    assert "bwrap has failed" in words
    assert fix
    assert advice(examine([Bubblewrap(REFUSED), Missing()]))[0] == "none"
