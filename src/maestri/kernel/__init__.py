"""Durable execution on the standard library alone.

A reading order, with what each file knows:

`path`        where a step is
`events`      the facts that a journal holds
`state`       what a step, a scope and a run are in, as a fold over events
`policy`      retries and time limits, as pure decisions
`inside`      what is asked of whoever takes in what processes of a step report; `holds`: what blocks it
`ports`       what is asked of an engine, an agent, a dispatcher and a clock; `workspaces`: and of workspaces
`codec`       values as JSON text; `typed`: Python types on top of that; `requests`: what a step asks for
`run`         what the scopes of one execution share; how something is stopped
`past`        what is on record of a scope, and which verb may take it
`naming`      the names that a scope gives; `body`: what patterns compose
`step`        one step under way, and the short way of one that does not wait
`reports`     what the processes of a step say of it, and how a blocker holds it
`attempts`    the way of all other steps, from their start to their record
`closing`     how a scope ends
`waiting`     waits for a time, a signal, a person; `listening`: for one of several, up to a time; `strays`
`scope`       what a scope knows of itself; `talking`: what it hears and says; `context`: a body's verbs
`fan`         children that run at once; `inline`: those of them that need no asyncio task of their own
`directions`  what people decide by hand; `mail`: what comes in from outside
`runner`      starts, resumes and ends runs

What stands above knows nothing of what stands below it.
"""
