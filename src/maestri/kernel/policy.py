"""Decisions about retries and time limits, as pure functions: no clock, no randomness, no I/O."""

from __future__ import annotations

from maestri.errors import Failure, retry_kinds
from maestri.records import NamedTuple


class Retry(NamedTuple):
    """How often and when a failed attempt is made again.

    The delay before attempt n+1 is `delay_s * factor**(n-1)`, at most `max_delay_s`, and up to `jitter`
    (a fraction) shorter or longer. `on` and `not_on` are kinds of errors (`exit`, `timeout`, ...); with an
    empty `on`, an error's own default decides.

    Source: exponential backoff with jitter, as in Brooker, "Exponential Backoff and Jitter" (AWS, 2015).
    """

    max_attempts: int = 1
    delay_s: float = 1.0
    factor: float = 2.0
    max_delay_s: float = 300.0
    jitter: float = 0.1
    on: tuple[str, ...] = ()
    not_on: tuple[str, ...] = ()


class Policy(NamedTuple):
    """Limits of one step. All times are in seconds; None is no limit.

    `step_timeout_s` counts over all attempts and the waits between them; `idle_timeout_s` is the longest
    silence of an attempt.
    """

    retry: Retry | None = None
    attempt_timeout_s: float | None = None
    step_timeout_s: float | None = None
    idle_timeout_s: float | None = None


DEFAULT = Policy()
NO_RETRY = Retry()


def retry_delay_s(retry: Retry, failures: int, failure: Failure, kind: str, random: float) -> float | None:
    """Return how long to wait before the next attempt, or None to give up.

    Args:
        retry: The rules.
        failures: How many attempts have failed, this one included.
        failure: The last failure.
        kind: The kind of its class.
        random: A number from 0 to 1 that the caller has drawn.
    """
    if failures >= retry.max_attempts or not _is_retried(retry, failure, kind):
        return None
    try:
        delay_s = retry.delay_s * retry.factor ** (failures - 1)
    except OverflowError:
        delay_s = retry.max_delay_s
    delay_s = min(delay_s, retry.max_delay_s)
    return max(0.0, delay_s * (1 + retry.jitter * (2 * random - 1)))


def _is_retried(retry: Retry, failure: Failure, kind: str) -> bool:
    words = {kind, failure.code, failure.type}
    if words & set(retry.not_on):
        return False
    if retry.on:
        return bool(words & set(retry.on))
    return retry_kinds().get(kind, True)
