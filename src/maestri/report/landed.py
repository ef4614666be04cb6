"""A landing on one page: which branches landed, which did not and why, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from maestri.report.wording import counted, duration, one_line, width_of

_MOST: Final = 20
_KINDS: Final = {
    "conflict": "resolve it on top of `{into}`, or give `--resolve COMMAND` or `--ask`",
    "verify": "mend it; then land it again",
    "combination": "make it work with {others}; then land it again",
    "needs": "it can land when {others} can",
    "unsupported": "take that out of it",
    "unrelated": "see whether it is of this repository",
}


def is_whole(output: Mapping[str, Any]) -> bool:
    """Tell whether no branch was left out."""
    return not output["left_out"]


def page(output: Mapping[str, Any]) -> str:
    """Return the page of a landing, from the output of the pattern `land`."""
    return "\n".join(one_line(line) if not line.startswith(" ") else _kept(line) for line in _lines(output))


def _kept(line: str) -> str:
    """Return a line without what a terminal would obey, with its spaces at the beginning and in columns."""
    return "".join(char if char.isprintable() else " " for char in line).rstrip()


def _lines(output: Mapping[str, Any]) -> Iterator[str]:
    yield _headline(output)
    yield from _table(output)
    yield from foretold(output.get("forecast") or {})
    if output.get("dry_run") and not any(foretold(output["forecast"])):
        yield "forecast: no conflicts"
    yield from _verified(output.get("verified"))
    yield from _proved(output.get("proof"))
    yield from (f"note: {note}" for note in output.get("notes", ()))
    yield from _next(output)


def _headline(output: Mapping[str, Any]) -> str:
    landed, all_of = len(output["landed"]), len(output["landed"]) + len(output["left_out"])
    into = output["into"]
    if output.get("dry_run"):
        bad = {one["branch"] for one in output["left_out"]}
        names = dict.fromkeys([*output["order"], *bad])
        return (
            f"{len(names) - len(bad)} of {len(names)} would be verified and landed on `{into}`, in this order"
        )
    if not landed:
        return f"nothing has landed; `{into}` was not touched"
    return f"landed {landed} of {all_of} on `{into}`, which is at {output['commit'][:12]} now"


def _table(output: Mapping[str, Any]) -> Iterator[str]:
    left_out = {one["branch"]: one["reason"] for one in output["left_out"]}
    resolved = {one["branch"]: one for one in output.get("resolved", ())}
    names = list(dict.fromkeys([*output["order"], *left_out, *output.get("contained", ())]))
    column = max((width_of(name) for name in names[:_MOST]), default=0)
    landed = {*output["order"]} if output.get("dry_run") else {*output["landed"]}
    for name in names:
        space = " " * (column - width_of(name))
        sign = "-" if name in left_out else "+" if name in landed else "="
        yield f"  {sign} {name}{space}  {_about(name, output, left_out, resolved)}"


def _about(
    name: str, output: Mapping[str, Any], left_out: Mapping[str, str], resolved: Mapping[str, Any]
) -> str:
    if name in left_out:
        return left_out[name]
    if name in output.get("contained", ()):
        return "is in the result already"
    branch = output["branches"].get(name, {})
    said = f"{counted(branch.get('files', 0), 'file')}, {counted(branch.get('lines', 0), 'line')}"
    alone = branch.get("alone") or {}
    if alone.get("took_s") is not None:
        said += f", passed alone in {duration(alone['took_s'])}"
    if name in resolved:
        said += f", conflict resolved in {', '.join(resolved[name]['files'])}"
    return said


def foretold(forecast: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is foretold of branches, a line each: conflicts, and symbols that cannot work together."""
    pairs = forecast.get("conflicts", ())
    for pair in pairs[:_MOST]:
        yield f"forecast: {_both(pair)} conflict in {_some(pair['files'])}"
    breaks = [one for one in forecast.get("symbols", ()) if one["is_break"]]
    for one in breaks[:_MOST]:
        how = "removes" if one["change"] == "removed" else "changes the signature of"
        yield f"forecast: `{one['one']}` {how} `{one['symbol']}`; `{one['other']}` uses it in {one['place']}"
    more = len(pairs) + len(breaks) - min(len(pairs), _MOST) - min(len(breaks), _MOST)
    if more:
        yield f"forecast: and {more} more"


def _both(pair: Mapping[str, Any]) -> str:
    return " and ".join(f"`{name}`" for name in pair["branches"])


def _some(files: Sequence[str]) -> str:
    more = f" and {len(files) - 5} more" if len(files) > 5 else ""
    return ", ".join(f"`{file}`" for file in files[:5]) + more


def _verified(verified: Mapping[str, Any] | None) -> Iterator[str]:
    if verified is None:
        return
    known = f", {verified['known']} more known from before" if verified["known"] else ""
    times = f"{counted(verified['ran'], 'verification')}{known}"
    yield f"verified: `{verified['command']}`: {times}, {duration(verified['took_s'])} in all"
    before = {True: "passed", False: "failed", None: "not looked at"}[verified["before"]]
    after = {True: "passes", False: "fails", None: "not changed"}[verified["after"]]
    yield f"target: {before} before, {after} now"


def _proved(proof: Mapping[str, Any] | None) -> Iterator[str]:
    if proof is None or not proof.get("proved"):
        return
    listed = proof.get("listed", ())
    counts = f"{proof['present']:,} of {proof['hunks']:,} changes are in the result as they were made"
    yield f"proof: {counts}" + (f", {counted(len(listed), 'other')} for reasons:" if listed else "")
    yield from (f"  {one['text']}" for one in listed[:_MOST])


def _next(output: Mapping[str, Any]) -> Iterator[str]:
    for one in output["left_out"][:_MOST]:
        others = ", ".join(f"`{name}`" for name in one.get("others", ()))
        todo = _KINDS[one["kind"]].format(into=output["into"], others=others)
        yield f"next: `{one['branch']}`: {todo}"
