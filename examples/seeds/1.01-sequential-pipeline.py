"""Analyze, design, build, test: each agent is given what those before it have said.

The function stands as it does in the document it comes from. The agents are scripted: commands that do real work
on real files where a model would. Run it in an empty folder:

    maestri run 1.01-sequential-pipeline.py
"""

from maestri import compat

AGENTS = {
    "analyzer": {
        "backend": "run",
        "command": "printf 'def total(x): return sum(x)\n' > shop.py; grep -o 'def [a-z]*' shop.py",
    },
    "designer": {
        "backend": "run",
        "command": "echo add mean beside $(grep -o 'analyzer: def [a-z]*' | cut -d' ' -f3)",
    },
    "builder": {
        "backend": "run",
        "command": "echo 'def mean(x): return total(x) / len(x)' >> shop.py; echo shop.py",
    },
    "tester": {"backend": "run", "command": "python3 -B -c 'import shop; print(shop.mean([2, 4]))'"},
}


async def sequential_pipeline(orchestrator, agents):
    stages = [
        ("analyzer", "Analyze requirements and existing code"),
        ("designer", "Design solution based on analysis"),
        ("builder", "Implement the designed solution"),
        ("tester", "Test the implementation"),
    ]

    results = []
    for agent_name, task in stages:
        context = "\n".join(results) if results else ""
        prompt = f"""
        Previous context: {context}

        Current task: {task}
        Use {agent_name} agent to complete this task.
        """

        async for msg in orchestrator.run(prompt, agents):
            if hasattr(msg, "result"):
                results.append(f"{agent_name}: {msg.result}")
            yield msg


pipeline = compat.workflow(sequential_pipeline, AGENTS)
