"""Whatever is wrong with a file of another system: it becomes a workflow, or is refused with a fix."""

from __future__ import annotations

from random import Random

import pytest
from tests.importers.crew import SEEDS, blocks

from maestri.importers.importing import as_loaded, imported
from maestri.importers.recognising import DIALECTS
from maestri.importers.scribe import Settings
from maestri.lang.source import Source

WORDS = ("null", "[]", "{}", "[a, {b: c}]", "${x.y}", "5", "true", "''", "- z", "{a: 1}", "${", "→", "&&")
TEXTS = [
    one.text
    for file in ("0-cascade", "2-task-orchestrator", "3-czarina")
    for one in blocks(f"{file}.md").values()
]


def mutated(random: Random) -> str:
    lines = random.choice(TEXTS).split("\n")
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(lines))
        change = random.randrange(5)
        if change == 0:
            lines[at] = lines[random.randrange(len(lines))]
        elif change == 1:
            lines.insert(at, lines[random.randrange(len(lines))])
        elif change == 2:
            lines[at] = f"{lines[at].partition(':')[0]}: {random.choice(WORDS)}"
        elif change == 3:
            lines[at] = lines[at].replace("  ", "", 1)
        else:
            lines[at] += random.choice(WORDS)
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(10))
def test_every_mutation_is_read_or_refused(seed: int) -> None:
    random = Random(seed)
    for _ in range(40):
        source = Source("theirs.yaml", mutated(random))
        found = imported(source, Settings("crew", frozenset({"crew"})), random.choice(("", *DIALECTS)))
        if found is None:
            continue
        assert bool(found.text) != any(one.severity == "error" for one in found.findings), source.text
        assert all(one.span and one.cause and one.fix for one in found.findings), source.text
        assert found.text == "" or as_loaded(found.text, found.lines, source, []).tree is not None


def test_the_documents_are_there() -> None:
    assert len(TEXTS) == 39
    assert SEEDS.is_dir()
