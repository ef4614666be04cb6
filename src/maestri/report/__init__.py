"""What people read of a run: folds over a journal, outlines and diagrams."""
