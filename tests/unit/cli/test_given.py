"""Inputs as they are written down: strict JSON."""

from pathlib import Path
from typing import Any

import pytest

from maestri.errors import ConfigError, DefinitionError
from maestri.project.given import read_inputs, refuse_not_portable


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1, "a": 2}', "`a` is given twice"),
        ('{"a": {"b": 1, "b": 1}}', "`b` is given twice"),
        ('{"a": NaN}', "`NaN` is not JSON"),
        ("[1]", "no JSON object"),
        ("", "cannot be read"),
    ],
)
def test_a_file_of_inputs_is_one_json_object_with_each_name_once(
    tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "inputs.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        read_inputs(str(file))


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, [{"deep": 2**64}], "\udcff", {"\udcff": 1}])
def test_what_other_programs_would_read_as_something_else_is_refused(value: Any) -> None:
    with pytest.raises(DefinitionError) as caught:
        refuse_not_portable({"n": value})
    assert caught.value.diagnostic.code == "C012"


def test_all_other_values_are_taken() -> None:
    refuse_not_portable({"n": [2**63 - 1, -(2**63), 1e300, True, None, "schön", {"a": []}]})
