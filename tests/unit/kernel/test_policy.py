"""Retries as a decision: no clock, no chance of its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestri.errors import Failure
from maestri.kernel.policy import NO_RETRY, Retry, retry_delay_s

FAILURE = Failure("ExitFailed", "S101", "exit 1")


def delay(retry: Retry, failures: int = 1, kind: str = "exit", random: float = 0.5) -> float | None:
    return retry_delay_s(retry, failures, FAILURE, kind, random)


def test_the_delay_grows_by_the_factor_up_to_the_largest() -> None:
    retry = Retry(max_attempts=9, delay_s=2, factor=3, max_delay_s=50)
    assert [delay(retry, n) for n in (1, 2, 3, 4)] == [2, 6, 18, 50]


def test_the_last_attempt_is_not_followed_by_another() -> None:
    assert (delay(Retry(3), 2), delay(Retry(3), 3)) == (2.0, None)
    assert delay(NO_RETRY) is None


@pytest.mark.parametrize(
    ("on", "not_on", "kind", "retried"),
    [
        ((), (), "exit", True),
        ((), (), "input", False),
        ((), (), "unheard-of", True),
        (("exit",), (), "exit", True),
        (("timeout",), (), "exit", False),
        ((), ("exit",), "exit", False),
        (("exit",), ("exit",), "exit", False),
        (("S101",), (), "other", True),
        (("ExitFailed",), (), "other", True),
        (("input",), (), "input", True),
    ],
)
def test_kinds_codes_and_classes_choose_what_is_retried(
    on: tuple[str, ...], not_on: tuple[str, ...], kind: str, retried: bool
) -> None:
    assert (delay(Retry(5, on=on, not_on=not_on), kind=kind) is not None) == retried


@given(st.integers(1, 10_000), st.floats(0, 1), st.floats(0, 5), st.floats(1, 10), st.floats(0, 1e6))
def test_a_delay_is_never_negative_nor_beyond_the_largest_and_its_jitter(
    failures: int, random: float, jitter: float, factor: float, largest: float
) -> None:
    found = delay(Retry(20_000, 1, factor, largest, jitter), failures, random=random)
    assert found is not None
    assert 0 <= found <= largest * (1 + jitter)
