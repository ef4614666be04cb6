"""Transactions in order; when one fails, those before it are compensated in reverse order.

The function stands as it does in the document it comes from. The agents are scripted: commands that do real work
on real files where a model would. Run it in an empty folder:

    maestri run 1.08-saga.py -i transactions='[{"action": "reserve", "compensate": "release"}]'
"""

from maestri import compat

AGENTS = {
    "lead": {
        "backend": "run",
        "command": """
            asked=$(cat)
            case "$asked" in
                *'transaction: reserve'*) echo 1 > seat.txt && echo reserved ;;
                *'transaction: charge'*) echo 20 > paid.txt && echo charged ;;
                *'Compensate: refund'*) rm paid.txt && echo refunded ;;
                *'Compensate: release'*) rm seat.txt && echo released ;;
                *) echo 'no printer' >&2; exit 1 ;;
            esac
        """,
    },
}


async def saga_pattern(orchestrator, agents, transactions):
    completed = []

    for tx in transactions:
        try:
            prompt = f"Execute transaction: {tx['action']}"
            async for msg in orchestrator.run(prompt, agents):
                yield msg

            completed.append(tx)

        except Exception as e:
            yield {"error": str(e), "compensating": True}

            # Compensate in reverse order
            for completed_tx in reversed(completed):
                compensate_prompt = f"Compensate: {completed_tx['compensate']}"
                async for msg in orchestrator.run(compensate_prompt, agents):
                    yield msg

            return

    yield {"status": "all_transactions_complete"}


saga = compat.workflow(saga_pattern, AGENTS)
