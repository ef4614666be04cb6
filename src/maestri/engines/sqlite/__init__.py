"""Journals in SQLite files: one owner process per file, any number of readers.

`engine` writes and needs asyncio; `catalog` and `reader` only look and do not import it.
"""
