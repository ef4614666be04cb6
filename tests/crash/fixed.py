"""`maestri` with the same run id, names and random numbers each time, so that its files have the same names.

fixed.py SEED WORDS...
"""

from __future__ import annotations

import os
import sys
from random import Random
from typing import Any

from maestri.cli.main import main
from maestri.project import doing

RUN_ID = "01HZZZZZZZZZZZZZZZZZZZZZZZ"

if __name__ == "__main__":
    drawn = Random(int(sys.argv[1]))
    fixed: Any = doing
    fixed.SystemRandom = lambda: drawn
    fixed.new_id = lambda _now, _draw: RUN_ID
    os.urandom = drawn.randbytes
    sys.exit(main(sys.argv[2:]))
