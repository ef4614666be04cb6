"""A captured stream: bounded in memory, whole on disk, correct at every cut."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestri.agents.capture import END_BYTES, INLINE_BYTES, Capture, _whole_end, _whole_start
from maestri.agents.pipes import NoRoom
from maestri.errors import StepFailed
from maestri.testing.check_agent import Witness


@pytest.fixture
def capture(witness: Witness, tmp_path: Path) -> Iterator[Capture]:
    made = Capture("stdout", witness.attempt, spill_dir=str(tmp_path))
    yield made
    made.close()


def test_characters_that_are_cut_between_chunks_stay_whole(capture: Capture) -> None:
    for byte in "žluťoučký kůň 🐴".encode():
        capture.feed(bytes([byte]))
    assert capture.text() == "žluťoučký kůň 🐴"


def test_what_is_not_utf8_is_replaced(capture: Capture) -> None:
    capture.feed(b"a\xff")
    capture.feed(b"\xfeb")
    assert capture.text() == "a\ufffd\ufffdb"


def test_a_small_output_is_no_artifact(capture: Capture) -> None:
    capture.feed(b"x" * INLINE_BYTES)
    assert capture.artifact() is None


def test_a_large_output_is_an_artifact_with_every_byte(capture: Capture, witness: Witness) -> None:
    data = b"".join(b"%08d" % n for n in range(INLINE_BYTES // 4))
    for at in range(0, len(data), 60_000):
        capture.feed(data[at : at + 60_000])
    artifact = capture.artifact()
    assert artifact is not None
    assert witness.kept[artifact.digest].read_bytes() == data == capture.whole()


def test_the_ends_of_a_large_output_hold_whole_characters(capture: Capture) -> None:
    capture.feed(b"x" + "ž".encode() * INLINE_BYTES)
    capture.feed(b"y")
    assert "\ufffd" not in capture.text()


def test_the_bytes_that_are_left_out_are_counted(capture: Capture) -> None:
    capture.feed(b"x" * (INLINE_BYTES + 1))
    assert f"[{INLINE_BYTES + 1 - 2 * END_BYTES} bytes left out" in capture.text()


def test_the_file_of_a_large_output_is_gone_when_it_is_closed(witness: Witness, tmp_path: Path) -> None:
    capture = Capture("stdout", witness.attempt, spill_dir=str(tmp_path))
    capture.feed(b"x" * (INLINE_BYTES + 1))
    capture.close()
    assert list(tmp_path.iterdir()) == []


def test_a_system_without_nameless_files_uses_a_named_one(
    witness: Witness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("os.O_TMPFILE")
    capture = Capture("stdout", witness.attempt, spill_dir=str(tmp_path))
    capture.feed(b"x" * (INLINE_BYTES + 1))
    assert capture.artifact() is not None
    assert capture.whole() == b"x" * (INLINE_BYTES + 1)
    capture.close()
    assert [path for path in tmp_path.iterdir() if path.name.startswith("maestri-")] == []


def test_a_chunk_that_a_full_disk_refuses_is_taken_when_it_is_offered_again(witness: Witness) -> None:
    logged: list[bytes] = []

    def full_at_first(data: bytes, stream: str = "stdout") -> None:
        logged.append(data)
        if len(logged) == 1:
            raise OSError(28, "No space left on device")

    capture = Capture("stdout", witness.attempt._replace(log=full_at_first))
    with pytest.raises(NoRoom):
        capture.feed(b"x")
    capture.feed(b"x")
    assert (capture.size_bytes, capture.text()) == (1, "x")


def test_a_broken_disk_is_a_failure_of_the_step(witness: Witness) -> None:
    def broken(data: bytes, stream: str = "stdout") -> None:
        raise OSError(5, "Input/output error")

    capture = Capture("stdout", witness.attempt._replace(log=broken))
    with pytest.raises(StepFailed, match="Input/output error"):
        capture.feed(b"x")


def test_notices_are_lines_and_rare(witness: Witness) -> None:
    now_s = 0.0
    capture = Capture("stdout", witness.attempt, clock_s=lambda: now_s)
    for n in range(100):
        capture.feed(b"line %d\n" % n)
    now_s = 1.0
    capture.feed(b"last")
    assert witness.notices == [("output", "line 0"), ("output", "last")]


def test_every_chunk_is_a_sign_of_life(capture: Capture, witness: Witness) -> None:
    for _ in range(5):
        capture.feed(b"x")
    assert witness.beats == 5


@given(st.text(), st.integers(0, 40))
def test_a_cut_text_is_a_part_of_the_text(text: str, at: int) -> None:
    data = text.encode()
    assert _whole_start(data[:at]).decode() + _whole_end(data[at:]).decode() in {
        text,
        data[:at].decode(errors="ignore") + data[at:].decode(errors="ignore"),
    }
