"""The twin of `harden.yaml` in Python: the same steps under the same names, and so the same journal.

maestri run harden.py -i package=src/mypackage
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import maestri
from maestri.kernel.body import OneStep
from maestri.patterns import branch, each, graph, loop, parallel, workflow
from maestri.patterns._registry import Arm, Need

BLANKS = ["git", "grep", "--no-index", "--name-only", "-E", "[ ]+$", "--", "*.py"]
COMPILE = """\
cache=$(mktemp -d)
PYTHONPYCACHEPREFIX="$cache" python3 -m compileall -q .
code=$?
rm -r "$cache"
exit $code
"""


# --- the steps that compute; both forms call them -------------------------------------------------------


def largest(sizes: list[Any], most: int) -> list[str]:
    """Return the files with the most tokens, largest first; those that could not be counted are left out."""
    counted = [size for size in sizes if "failed" not in size]
    counted.sort(key=lambda size: (-size["tokens"], size["file"]))
    return [f"{size['file']} ({size['tokens']} tokens, {size['lines']} lines)" for size in counted[:most]]


def strip(folder: str, most: int) -> int:
    """Remove the blanks at the ends of lines in some files of a folder; return in how many there were any."""
    changed = 0
    for file in sorted(Path(folder).rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        stripped = "\n".join(line.rstrip(" ") for line in text.split("\n"))
        if stripped != text and changed < most:
            file.write_text(stripped, encoding="utf-8")
            changed += 1
    return changed


def summary(
    files: int, lines: int, largest: list[str], route: str, commits: int, changed: int
) -> dict[str, Any]:
    """Return the findings in one sentence, and in numbers."""
    text = f"{files} files with {lines} lines, {commits} commits, {changed} changed: {route}"
    return {"text": text, "largest": largest}


# --- the workflow ---------------------------------------------------------------------------------------


async def compiles(ctx: maestri.Context, inputs: Mapping[str, Any]) -> str:
    """Tell whether every file compiles; what Python makes of them is thrown away."""
    limit = maestri.Policy(step_timeout_s=300.0)
    text: str = await ctx.run("compile", COMPILE, cwd=inputs["folder"], policy=limit)
    return text


def command(name: str, words: str | list[str], **options: Any) -> OneStep[Any]:
    """Return a body that is one command."""
    return OneStep(lambda ctx: ctx.run(name, words, **options))


def verified(name: str, package: str) -> Callable[[maestri.Context], Awaitable[str]]:
    """Return a call of `compiles`."""
    return lambda ctx: workflow(ctx, name, compiles, inputs={"folder": package})


@maestri.workflow(version="1.0.0", timeout_s=1800.0)
async def harden(ctx: maestri.Context, package: str, careful: bool = False) -> dict[str, str]:
    """Look at a package, mend what is safe to mend, and say what was found."""
    files = await ctx.run("files", "find . -name '*.py' | sort", cwd=package, output="lines")
    checks = await looked_at(ctx, package)
    sizes = await measured(ctx, package, files)
    route = await routed(ctx, package, checks)
    counts = {"files": len(files), "lines": checks["size"], "largest": sizes, "route": route}
    told = await summed_up(ctx, package, counts)
    accepted = None
    if careful:
        accepted = await ctx.ask("accepted", f"{told['text']}. Do you accept this?", ["yes", "no"])
    else:
        await ctx.skip("accepted")
    return {"summary": told["text"], "accepted": "not asked" if accepted is None else accepted}


async def looked_at(ctx: maestri.Context, package: str) -> dict[str, Any]:
    """Run the checks at once; a failure is part of the outcome."""
    soon = maestri.Policy(step_timeout_s=60.0)
    lines = "cat $(find . -name '*.py') </dev/null | wc -l"
    branches: dict[str, Any] = {
        "compiles": OneStep(verified("compiles", package)),
        "blanks": command("blanks", BLANKS, cwd=package, output="lines", ok=[0, 1]),
        "size": command("size", lines, cwd=package, output="json", policy=soon),
    }
    return await parallel(ctx, "checks", branches, max_concurrent=3, join="settled")


async def measured(ctx: maestri.Context, package: str, files: list[str]) -> list[str]:
    """Count every file, and return the largest."""
    twice = maestri.Policy(maestri.Retry(max_attempts=2, delay_s=1.0), attempt_timeout_s=30.0)
    count = 'python3 -m tokenize "$FILE" | wc -l'

    async def one(scope: maestri.Context, file: str, _index: int) -> dict[str, Any]:
        options: dict[str, Any] = {"env": {"FILE": file}, "cwd": package, "output": "json"}
        tokens = await scope.run("tokens", count, policy=twice, **options)
        lines = await scope.run("lines", 'wc -l <"$FILE"', **options)
        return {"file": file, "tokens": tokens, "lines": lines}

    async def reduce(scope: maestri.Context, results: list[Any]) -> Any:
        return await scope.call("reduce", largest, sizes=results, most=3)

    reduce.is_one_step = True  # type: ignore[attr-defined]
    found: list[str] = await each(ctx, "sizes", files, one, max_concurrent=2, reduce=reduce)
    return found


async def routed(ctx: maestri.Context, package: str, checks: dict[str, Any]) -> str:
    """Do what the checks ask for."""

    async def one_round(scope: maestri.Context, _number: int, _last: Any) -> Any:
        await scope.call("strip", strip, folder=package, most=20)
        return await scope.run("left", BLANKS, cwd=package, output="lines", ok=[0, 1])

    async def mend(scope: maestri.Context) -> str:
        await loop(scope, "mend", one_round, max_rounds=3, until=lambda _scope, _number, left: not left)
        await scope.sleep(0.1, "settle")
        await verified("verify", package)(scope)
        return f"mended {len(checks['blanks'])} files"

    broken = command("broken", 'echo "it does not compile; nothing is changed"')
    arms = {
        "broken": Arm(broken, lambda: "failed" in checks["compiles"]),
        "blanks": Arm(mend, lambda: len(checks["blanks"]) > 0),
        "clean": Arm(command("clean", 'echo "nothing to mend"')),
    }
    taken: str = await branch(ctx, "route", arms)
    return taken


async def summed_up(ctx: maestri.Context, package: str, counts: dict[str, Any]) -> dict[str, Any]:
    """Count commits and changes at once, then say everything in one sentence."""
    known: dict[str, int] = {}

    def counted(name: str, line: str) -> OneStep[int]:
        async def inside(scope: maestri.Context) -> int:
            known[name] = await scope.run(name, line, cwd=package, output="json")
            return known[name]

        return OneStep(inside)

    def told(scope: maestri.Context) -> Awaitable[Any]:
        commits, changed = known["history"], known["changed"]
        return scope.call("summary", summary, **counts, commits=commits, changed=changed)

    steps = {
        "history": Need(counted("history", "git log --oneline -- . | wc -l")),
        "changed": Need(counted("changed", "git status --short -- . | wc -l")),
        "summary": Need(OneStep(told), ("history", "changed")),
    }
    found: dict[str, Any] = (await graph(ctx, "tell", steps))["summary"]
    return found
