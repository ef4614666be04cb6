"""Drawings of a definition or a run: shapes first, then Mermaid, Graphviz or SVG."""
