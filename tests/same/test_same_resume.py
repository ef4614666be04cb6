"""A run that was begun in one form and cut off anywhere is finished by the other one."""

from __future__ import annotations

import pytest
from tests.same.playing import FORMS, OTHER, Form, Playing
from tests.same.twins import TWINS, Twin

from maestri.kernel.state import SUCCEEDED


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.name)
def test_the_other_form_goes_on_wherever_the_run_was_cut_off(twin: Twin, form: Form) -> None:
    whole = Playing(twin, form)
    output = whole.play().output
    for events in range(1, len(whole.events)):
        resumed = whole.crashed(events, OTHER[form])
        done = resumed.finished()
        ended = resumed.resume()
        assert (ended.status, ended.output) == (SUCCEEDED, output), f"cut off after {events} events"
        assert done.isdisjoint(resumed.asked.paths), f"cut off after {events} events"
