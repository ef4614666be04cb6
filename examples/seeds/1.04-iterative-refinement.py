"""Implement and evaluate until the score is 8 of 10.

The function stands as it does in the document it comes from. The agents are scripted: commands that do real work
on real files where a model would. Run it in an empty folder:

    maestri run 1.04-iterative-refinement.py
"""

from maestri import compat

AGENTS = {
    "lead": {"backend": "run", "command": "echo 'a better line' >> solution.txt; echo solution.txt"},
    "code-reviewer": {
        "backend": "run",
        "command": 'echo "{\\"quality_score\\": $((4 * $(wc -l < solution.txt)))}"',
    },
}


async def iterative_refinement(orchestrator, agents, max_iterations=5):
    for iteration in range(max_iterations):
        # Execute
        exec_prompt = f"Iteration {iteration + 1}: Implement/improve the solution"
        async for msg in orchestrator.run(exec_prompt, agents):
            yield msg

        # Evaluate
        eval_prompt = "Use code-reviewer to evaluate current solution quality"
        quality_score = 0

        async for msg in orchestrator.run(eval_prompt, agents):
            if hasattr(msg, "quality_score"):
                quality_score = msg.quality_score

        # Check threshold
        if quality_score >= 8:  # Out of 10
            yield {"status": "complete", "iterations": iteration + 1}
            return

    yield {"status": "max_iterations_reached"}


refinement = compat.workflow(iterative_refinement, AGENTS)
