"""What the analysis finds decides who works.

The function stands as it does in the document it comes from. The agents are scripted: commands that do real work
on real files where a model would. Run it in an empty folder:

    maestri run 1.03-conditional-branching.py -i context=none
"""

from maestri import compat

AGENTS = {
    "lead": {
        "backend": "run",
        "command": r"""
            echo 'token = eval(input())' > app.py
            if grep -q 'eval(' app.py; then type=security; else type=style; fi
            echo "{\"issues\": [{\"type\": \"$type\", \"severity\": \"high\"}]}"
        """,
    },
    "bug-fixer": {"backend": "run", "command": "echo fixed"},
    "security-auditor": {"backend": "run", "command": "grep -n 'eval(' app.py"},
    "code-reviewer": {"backend": "run", "command": "echo fine"},
}


async def conditional_branch(orchestrator, agents, context):
    # Analyze first
    analysis_prompt = "Analyze the current state and identify issues"
    issues = []

    async for msg in orchestrator.run(analysis_prompt, agents):
        if hasattr(msg, "issues"):
            issues = msg.issues

    # Branch based on analysis
    if any(i["severity"] == "critical" for i in issues):
        prompt = "Critical issues found. Use bug-fixer for immediate fixes."
    elif any(i["type"] == "security" for i in issues):
        prompt = "Security issues found. Use security-auditor for analysis."
    else:
        prompt = "Minor issues only. Use code-reviewer for suggestions."

    async for msg in orchestrator.run(prompt, agents):
        yield msg


branch = compat.workflow(conditional_branch, AGENTS)
