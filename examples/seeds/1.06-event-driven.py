"""An event picks the agent that handles it.

The function stands as it does in the document it comes from. The agents are scripted: commands that do real work
on real files where a model would. Run it in an empty folder:

    maestri run 1.06-event-driven.py -i event='{"type": "test_failed"}'
"""

from maestri import compat

AGENTS = {
    "code-reviewer": {"backend": "run", "command": "echo reviewed"},
    "bug-fixer": {
        "backend": "run",
        "command": "echo 'assert 1 + 1 == 2' > test_sum.py; python3 -B test_sum.py && echo mended",
    },
    "security-auditor": {"backend": "run", "command": "echo audited"},
    "optimizer": {"backend": "run", "command": "echo faster"},
}


EVENT_HANDLERS = {
    "file_changed": "code-reviewer",
    "test_failed": "bug-fixer",
    "pr_opened": "code-reviewer",
    "security_alert": "security-auditor",
    "performance_issue": "optimizer",
}


async def event_driven(orchestrator, agents, event):
    event_type = event.get("type")
    handler = EVENT_HANDLERS.get(event_type)

    if not handler:
        yield {"error": f"No handler for event: {event_type}"}
        return

    prompt = f"""
    Event: {event_type}
    Details: {event.get("details", "None")}

    Use {handler} to handle this event appropriately.
    """

    async for msg in orchestrator.run(prompt, agents):
        yield msg


events = compat.workflow(event_driven, AGENTS)
