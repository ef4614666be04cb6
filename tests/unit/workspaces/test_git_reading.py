"""What git says, as data."""

from __future__ import annotations

from maestri.workspaces import reading
from maestri.workspaces.reading import Change, Conflict, Hunk, Stage

RAW = b":100644 100755 aaa bbb M\0a b\0:000000 100644 000 ccc R090\0old\0new\n\0"
PATCH = b"""\
diff --git a/x b/x
index aaa..bbb 100644
--- a/x
+++ b/x
@@ -2,2 +2 @@ def f():
-one
--- two
+diff --git a/y b/y
@@ -9 +8,0 @@
-last
\\ No newline at end of file
diff --git a/z b/z
Binary files a/z and b/z differ
"""


def change(path: str, status: str = "M") -> Change:
    return Change(status, path, "100644", "100644", "aaa", "bbb", path)


def test_changes_have_paths_with_anything_in_them() -> None:
    modified, renamed = reading.changes(RAW)
    assert modified == Change("M", "a b", "100644", "100755", "aaa", "bbb", "a b")
    assert (renamed.status, renamed.old_path, renamed.path) == ("R", "old", "new\n")


def test_lines_that_look_like_headers_are_lines() -> None:
    x, z = reading.file_diffs([change("x"), change("z")], PATCH)
    assert x.hunks == (
        Hunk(2, 2, (b"one\n", b"-- two\n"), (b"diff --git a/y b/y\n",)),
        Hunk(9, 8, (b"last",), ()),
    )
    assert (z.hunks, z.is_binary, x.is_binary) == ((), True, False)


def test_a_file_that_becomes_a_link_is_one_change_with_both_parts() -> None:
    part = b"diff --git a/f b/f\n%s file mode 1\n@@ -1 +0,0 @@\n-x\n"
    (diff,) = reading.file_diffs([change("f", "T")], part % b"deleted" + part % b"new")
    assert len(diff.hunks) == 2


def test_conflicts_are_data() -> None:
    said = b"tree\x00100644 aaa 1\tf\x00100644 bbb 2\tf\0\x001\0f\0Auto-merging\0Auto-merging f\n\0"
    said += b"1\0f\0CONFLICT (contents)\0CONFLICT (content): Merge conflict in f\n\0"
    merged = reading.merged(said)
    assert merged.stages == (Stage("f", "100644", "aaa", 1), Stage("f", "100644", "bbb", 2))
    words = "CONFLICT (content): Merge conflict in f"
    assert merged.conflicts == (Conflict("contents", words, ("f",)),)
    assert (merged.is_clean, merged.paths) == (False, ("f",))


def test_a_clean_merge_is_a_tree() -> None:
    assert reading.merged(b"tree\0").is_clean


def test_entries_have_sizes_where_they_were_asked_for() -> None:
    plain, sized = reading.entries(b"100644 blob aaa\tx y\x00100644 blob bbb      12\tz\0")
    assert (plain.path, plain.size_bytes, sized.path, sized.size_bytes) == ("x y", None, "z", 12)


def test_names_that_are_no_text_survive() -> None:
    (entry,) = reading.entries(b"100644 blob aaa\t\xff\0")
    assert entry.path == "\udcff"
