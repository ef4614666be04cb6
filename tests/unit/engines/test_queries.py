"""The questions that a resume and a reader ask are each answered by an index, also in a long journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from maestri.engines.sqlite import schema
from maestri.engines.sqlite.rows import PASSING, SETTLED, UNUSUAL

_PART = "select * from event where place > 1 and place < 9 and"


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    """Give an empty journal."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.executescript(Path(schema.__file__).with_name("schema.sql").read_text())
    yield db
    db.close()


@pytest.mark.parametrize(
    ("condition", "plan"),
    [
        (
            f"scope = '/' and {SETTLED} order by place",
            "USING INDEX settled (scope=? AND rowid>? AND rowid<?)",
        ),
        (f"scope = '/' and {SETTLED} order by place desc limit 1", "USING INDEX settled (scope=?"),
        (f"scope = '/' and {PASSING} order by place desc limit 9", "USING INDEX passing (scope=?"),
        (f"scope = '' and {SETTLED} and kind >= 40 order by place", "USING INDEX settled (scope=?"),
        ("true order by place limit 9", "USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (f"{UNUSUAL} and kind in (12, 31)", "USING INDEX unusual (kind=? AND rowid>? AND rowid<?)"),
    ],
)
def test_question_is_answered_by_an_index(db: sqlite3.Connection, condition: str, plan: str) -> None:
    steps = [row[3] for row in db.execute(f"explain query plan {_PART} {condition}")]
    assert plan in steps[0]
    assert len(steps) == 1, "no sorting on the side"
