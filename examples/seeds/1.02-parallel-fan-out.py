"""Three explorers that the prompt names are asked at once; the lead brings together what they find.

The function stands as it does in the document it comes from. The agents are scripted: commands that do real work
on real files where a model would. Run it in an empty folder:

    maestri run 1.02-parallel-fan-out.py
"""

from maestri import compat

AGENTS = {
    "auth-explorer": {"backend": "run", "command": "echo 'def login(): pass' > auth.py; grep -c def auth.py"},
    "db-explorer": {
        "backend": "run",
        "command": "echo 'create table user (name);' > db.sql; grep -c create db.sql",
    },
    "api-explorer": {"backend": "run", "command": "echo 'GET /users' > api.txt; grep -c GET api.txt"},
    "lead": {"backend": "run", "command": "grep '^- [a-z]*-explorer: ' | sort | tr -d '\n'"},
}


async def parallel_fanout(orchestrator, agents):
    prompt = """
    Execute research tasks in parallel:

    1. Use auth-explorer to analyze authentication
    2. Use db-explorer to analyze database layer
    3. Use api-explorer to analyze API endpoints

    Run these simultaneously, then combine findings.
    """

    # Claude will automatically parallelize Task tool calls
    async for msg in orchestrator.run(prompt, agents):
        yield msg


fanout = compat.workflow(parallel_fanout, AGENTS)
