"""The patterns, as functions over a `Context`; each is a YAML keyword too. One file a pattern."""

from maestri.patterns.branch import branch
from maestri.patterns.each import each
from maestri.patterns.graph import graph
from maestri.patterns.loop import loop
from maestri.patterns.parallel import parallel
from maestri.patterns.sequence import sequence
from maestri.patterns.workflow import workflow

__all__ = ["branch", "each", "graph", "loop", "parallel", "sequence", "workflow"]
