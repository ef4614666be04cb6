"""Git, and the places that steps work in: worktrees, copies, and the files that a step may change."""
