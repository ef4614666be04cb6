"""Files of other systems as workflows of ours: read as a person meant them, written as our YAML, then run.

Reading order: `mending` (what is no YAML but clear) → `recognising` (which system it is of) → `scribe` (what
all readers share) → `cascade`, `task_orchestrator`, `czarina` → `writing` (our YAML) → `importing`.

Rule 1: what is made goes through the ordinary loader and checks; there is no second way to run anything.
Rule 2: each line that is made knows the line it comes from, so that findings point at the user's own file.
Rule 3: a key that means nothing here is named in a warning, never dropped in silence.
"""
