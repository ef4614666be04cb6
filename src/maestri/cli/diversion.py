"""Hands on what code of others writes to the standard streams, while Maestri draws on the same terminal.

Rule: nothing that was written is lost, and nobody who writes waits for the event loop: a thread reads.
"""

from __future__ import annotations

import codecs
import os
import threading
from collections.abc import Callable

from maestri.cli.aside import ERR, OUT, flush_all
from maestri.report.wording import clean

_CHUNK_BYTES = 1 << 16
_PATIENCE_S = 1.0


class Diversion:
    """Leads standard output, and standard error where it is a terminal too, to a function, line by line."""

    def __init__(self, show: Callable[[str], None], descriptors: tuple[int, ...] = (OUT, ERR)) -> None:
        """`show` is called on a thread of its own, with one or more harmless lines."""
        self._show = show
        self._saved = {number: os.dup(number) for number in descriptors}
        self._reading, self._writing = os.pipe()
        self._mark = b"\0" + os.urandom(16) + b"\0"
        self._seen = threading.Event()
        self._is_on = False
        threading.Thread(target=self._read, name="maestri-output", daemon=True).start()

    def begin(self) -> None:
        """Take over; may be called again."""
        if not self._is_on:
            flush_all()
            for number in self._saved:
                os.dup2(self._writing, number)
            self._is_on = True

    def end(self) -> None:
        """Give back; returns when what was written until now has been shown."""
        if not self._is_on:
            return
        flush_all()
        for number, place in self._saved.items():
            os.dup2(place, number)
        self._is_on = False
        self._seen.clear()
        os.write(self._writing, self._mark)
        self._seen.wait(_PATIENCE_S)

    def _read(self) -> None:
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        held = b""
        while chunk := os.read(self._reading, _CHUNK_BYTES):
            before, mark, after = (held + chunk).partition(self._mark)
            if mark:
                self._hand_on(decode(before) + "\n" if before else "")
                self._seen.set()
                before = after
            # What may be the beginning of the mark waits with the line that is not complete.
            whole, end, held = before.rpartition(b"\n")
            if len(held) > _CHUNK_BYTES:
                whole, end, held = before, b"", b""
            self._hand_on(decode(whole + end))

    def _hand_on(self, text: str) -> None:
        if text:
            self._show(clean(text).removesuffix("\n"))
