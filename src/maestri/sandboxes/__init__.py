"""Sandboxes for commands: what they see, what they may do, what they may use, and the proof that it holds."""
