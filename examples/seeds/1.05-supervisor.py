"""One agent coordinates the others: here it looks at the project, and says what is left to do.

The function stands as it does in the document it comes from. The agents are scripted: commands that do real work
on real files where a model would. Run it in an empty folder:

    maestri run 1.05-supervisor.py
"""

from maestri import compat

AGENTS = {
    "lead": {
        "backend": "run",
        "command": """
            printf 'assert 1 + 1 == 2\n' > test_sum.py
            for worker in $(grep -o '^ *- [a-z-]*:' | tr -d ' :' | sed 's/^-//'); do echo "$worker" >> delegated.txt; done
            python3 -B test_sum.py && echo "accepted after $(wc -l < delegated.txt | tr -d ' ') delegations"
        """,
    },
}


async def supervisor_pattern(orchestrator, agents):
    supervisor_prompt = """
    You are the supervisor coordinating this project.

    Available workers:
    - code-reviewer: For quality checks
    - bug-fixer: For fixing issues
    - test-runner: For running tests
    - architect: For design decisions

    Analyze the project state and delegate tasks to appropriate workers.
    Coordinate their outputs and ensure quality standards are met.

    Continue until all acceptance criteria are satisfied.
    """

    async for msg in orchestrator.run(supervisor_prompt, agents):
        yield msg


supervisor = compat.workflow(supervisor_pattern, AGENTS)
