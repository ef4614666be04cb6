"""What a step says of its sandbox: read in one place, and refused with all that is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from maestri.errors import SandboxUnsupported
from maestri.kernel.isolation import Isolation, Limits, Unfit, isolation_of, read_isolation, refuse_isolation


def test_a_word_is_a_profile() -> None:
    assert read_isolation("code") == Isolation("code")
    assert read_isolation({}) == Isolation("code", "strong")


def test_limits_are_read_in_seconds_and_bytes() -> None:
    given: dict[str, Any] = {
        "cpu": "1m30s",
        "memory": "1.5GB",
        "processes": 8,
        "disk": "2 MiB",
        "wall": "500ms",
    }
    assert read_isolation({"limits": given}).limits == Limits(90, 1_500_000_000, 8, 2 << 20, 0.5)


@pytest.mark.parametrize(
    "request_", [{}, {"sandbox": None}, {"sandbox": "none"}, {"sandbox": {"profile": "none"}}]
)
def test_who_asks_for_none_gets_none(request_: dict[str, Any]) -> None:
    assert isolation_of(request_) is None
    refuse_isolation(request_, "nobody asks")


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(Unfit) as caught:
        read_isolation({"profile": "x", "limits": {"ram": 1, "wall": 10}, "read": ["src"], "more": 1})
    keys = {one.keys for one in (caught.value, *caught.value.more)}
    assert keys == {("profile",), ("limits", "ram"), ("limits", "wall"), ("read",), ("more",)}


@pytest.mark.parametrize(
    "given",
    [
        None, 3, True, [], "Code", {"minimum": None}, {"limits": []}, {"limits": {"cpu": "-1s"}},
        {"limits": {"cpu": True}}, {"limits": {"memory": "1XB"}}, {"limits": {"memory": 10}},
        {"limits": {"memory": "9" * 400 + "GB"}}, {"limits": {"processes": 0}}, {"read": 7},
        {"limits": {"wall": "9999999999d"}}, {"read": "src"}, {"read": ["/a", 3]}, {"write": ["~/../x"]},
        {"read": ["/a\0b"]}, {"read": ["/${x}"]}, {"limits": {"wall": ""}}, {"limits": {"processes": 1.5}},
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused(given: Any) -> None:
    with pytest.raises(Unfit) as caught:
        read_isolation(given)
    assert caught.value.cause and caught.value.fix


def test_who_cannot_give_a_sandbox_refuses_who_asks_for_one() -> None:
    with pytest.raises(SandboxUnsupported, match="nothing was run"):
        refuse_isolation({"sandbox": {"limits": {}}}, "it is a function")
