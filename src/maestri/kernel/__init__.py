"""Durable execution on the standard library alone: read `events`, `state`, `ports`, `context`, `runner`."""
