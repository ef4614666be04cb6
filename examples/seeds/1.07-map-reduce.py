"""Each item is a result of its own; then one report is made of all.

The function stands as it does in the document it comes from. The agents are scripted: commands that do real work
on real files where a model would. Run it in an empty folder:

    maestri run 1.07-map-reduce.py -i items='["a.txt", "b.txt"]'
"""

from maestri import compat

AGENTS = {
    "lead": {
        "backend": "run",
        "command": r"""
            asked=$(cat)
            case "$asked" in
                *Combine*) echo "$asked" | grep -o '[0-9][0-9]*' | paste -s -d + - | xargs -I @ sh -c 'echo $((@)) words' ;;
                *)
                    printf 'one two' > a.txt; printf 'three' > b.txt
                    for file in a b; do wc -w < $file.txt | tr -d ' '; done | paste -s -d , - |
                        sed 's/^\([0-9]*\),\([0-9]*\)$/[{"item_result": \1}, {"item_result": \2}]/' ;;
            esac
        """,
    },
}


async def map_reduce(orchestrator, agents, items):
    # Map phase
    map_prompt = f"""
    Process these items in parallel:
    {items}

    For each item, use the appropriate agent to analyze it.
    Return individual results for each item.
    """

    map_results = []
    async for msg in orchestrator.run(map_prompt, agents):
        if hasattr(msg, "item_result"):
            map_results.append(msg.item_result)
        yield msg

    # Reduce phase
    reduce_prompt = f"""
    Combine these results into a unified report:
    {map_results}

    Identify common patterns, aggregate statistics, and provide summary.
    """

    async for msg in orchestrator.run(reduce_prompt, agents):
        yield msg


reduction = compat.workflow(map_reduce, AGENTS)
