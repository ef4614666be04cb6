"""Change fragments: what is refused, and how they are folded."""

from pathlib import Path

import pytest

import changes


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def changelog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("log") / "CHANGELOG.md"
    file.write_text(f"# Changelog\n\n{changes.MARK}\n\n## 0.1.0 (2025-01-01)\n", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "name", ["fix.md", "Two-Words.fixed.md", "x.improved.md", "x.fixed.txt", "a_b.fixed.md"]
)
def test_a_wrong_name_is_refused(tmp_path: Path, name: str) -> None:
    assert len(changes.objections(write(tmp_path, name, "It works."))) == 1


@pytest.mark.parametrize("text", ["", "no full stop", "- A list.", "# A heading."])
def test_a_wrong_text_is_refused(tmp_path: Path, text: str) -> None:
    assert len(changes.objections(write(tmp_path, "some-change.fixed.md", text))) == 1


def test_the_folder_explains_itself_and_that_is_no_fragment(tmp_path: Path) -> None:
    assert changes.fragments(write(tmp_path, "README.md", "How to.")) == []


def test_fragments_are_folded_by_kind_above_the_older_release(tmp_path: Path, changelog: Path) -> None:
    write(tmp_path, "b.fixed.md", "A bug is gone.\n")
    write(tmp_path, "a.added.md", "There is more.\nOn two lines.\n")
    changes.fold("0.2.0", "2025-02-02", tmp_path, changelog)
    assert changelog.read_text(encoding="utf-8").split(changes.MARK)[1] == (
        "\n\n## 0.2.0 (2025-02-02)\n\n### Added\n\n- There is more.\n  On two lines.\n\n"
        "### Fixed\n\n- A bug is gone.\n\n## 0.1.0 (2025-01-01)\n"
    )
    assert changes.fragments(tmp_path) == []


def test_a_wrong_fragment_stops_the_fold_and_nothing_is_lost(tmp_path: Path, changelog: Path) -> None:
    before = changelog.read_text(encoding="utf-8")
    write(tmp_path, "a.added.md", "There is more.")
    write(tmp_path, "wrong.md", "What?")
    with pytest.raises(ValueError, match=r"wrong\.md"):
        changes.fold("0.2.0", "2025-02-02", tmp_path, changelog)
    assert changelog.read_text(encoding="utf-8") == before
    assert len(changes.fragments(tmp_path)) == 2


def test_folding_nothing_is_refused(tmp_path: Path, changelog: Path) -> None:
    with pytest.raises(ValueError, match="nothing to fold"):
        changes.fold("0.2.0", "2025-02-02", tmp_path, changelog)
