"""Many branches with planted faults, landed: nobody innocent is left out, and what lands passes.

`MAESTRI_LANDING_BRANCHES` and `MAESTRI_LANDING_SEED` make it larger, and different; from 100 branches on the
repository has 5,000 files.
"""

import os
from pathlib import Path
from random import Random

import pytest
from tests.landing.ground import landing
from tests.landing.grown import grown

from tally import tally

BRANCHES = int(os.environ.get("MAESTRI_LANDING_BRANCHES", "24"))
SEED = int(os.environ.get("MAESTRI_LANDING_SEED", "1"))
FILES = 5_000 if BRANCHES >= 100 else 120

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("alone", [True, False])
def test_what_was_planted_is_found_nobody_innocent_is_left_out_and_the_rest_lands(
    tmp_path: Path, alone: bool
) -> None:
    made = grown(tmp_path / "r", Random(SEED), BRANCHES, FILES)
    ended = landing(made.repository, made.branches, verify="sh check.sh", alone=alone)[0].play()
    assert ended.failure is None, ended.failure
    output = ended.output
    landed, left_out = output["landed"], {one["branch"]: one for one in output["left_out"]}
    guilty = made.bad.union(*made.sets, *made.conflicts)
    assert made.passes(landed)
    assert set(made.branches) - set(landed) == set(left_out)
    assert left_out.keys() <= guilty
    assert all(len(one & left_out.keys()) == 1 for one in [*made.sets, *made.conflicts])
    assert all(left_out[name]["kind"] == "verify" for name in made.bad)
    assert output["proof"]["proved"]
    foretold = {frozenset(pair["branches"]) for pair in output["forecast"]["conflicts"]}
    assert foretold == made.conflicts
    # The naive way merges one after the other and tests after each merge, and each branch alone before that.
    merged = BRANCHES - sum(one["kind"] == "conflict" for one in left_out.values())
    tally(
        "landing alone first" if alone else "landing by bisection",
        SEED,
        branches=BRANCHES,
        files=FILES,
        landed=len(landed),
        verifications=output["verified"]["ran"],
        naive=merged + BRANCHES * alone,
        conflicts=len(made.conflicts),
        foretold=len(foretold),
    )
