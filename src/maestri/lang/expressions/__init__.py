"""Expressions, `${ ... }`: total, pure, over JSON values.

`template` finds them in texts, `tokens` and `parse` read them into `terms`, `references` says what they
name, `types` finds definite clashes before a run, `evaluate` gives their value. `functions` is the one table
of what can be called.
"""
