"""Engines keep the journals of runs: in memory, or in SQLite files of this machine."""
