"""`maestri cache`: the outputs that are kept for other runs."""

from __future__ import annotations

import json
import time
from typing import Any

from maestri.cli import exits
from maestri.cli.terminal import Terminal
from maestri.cli.usage import BadArguments, Command, Parser
from maestri.project import Project
from maestri.report.wording import ago, one_line, size

_SHOWN_KEY = 12
_ACTIONS = ("list", "show", "clear")


def _arguments(parser: Parser) -> None:
    parser.add_argument("action", metavar="list|show|clear", choices=_ACTIONS, help="what to do")
    parser.add_argument("key", metavar="KEY", nargs="?", default="", help="the beginning of a key")
    parser.add_argument("--json", action="store_true", help="as a JSON document")


def _act(options: Any, terminal: Terminal) -> int:
    project = Project(state=options.state)
    project.state.inspect()
    if options.action == "list":
        return _list(project, options, terminal)
    return (
        _show(project, options, terminal) if options.action == "show" else _clear(project, options, terminal)
    )


def _list(project: Project, options: Any, terminal: Terminal) -> int:
    found = [entry for entry in project.cache.entries() if entry.key.startswith(options.key)]
    if options.json:
        terminal.say_json([entry.as_json() for entry in found], indent=2)
        return exits.SUCCEEDED
    now = time.time()
    for entry in found:
        asked = one_line(entry.asked)[:60]
        parts = (entry.key[:_SHOWN_KEY], ago(entry.at, now), size(entry.size_bytes), one_line(entry.path))
        terminal.say("  ".join((*parts, asked)))
    if not found:
        terminal.say("nothing is kept")
    return exits.SUCCEEDED


def _show(project: Project, options: Any, terminal: Terminal) -> int:
    found = [entry for entry in project.cache.entries() if options.key and entry.key.startswith(options.key)]
    if len(found) != 1:
        what = f"{len(found)} kept outputs have a key that begins with `{one_line(options.key)}`"
        raise BadArguments(what, fix="give the beginning of one key: `maestri cache list` lists them")
    (entry,) = found
    if options.json:
        terminal.say_json(entry.as_json(), indent=2)
        return exits.SUCCEEDED
    terminal.say(f"key    {entry.key}")
    terminal.say(f"from   {one_line(entry.path)} of run {one_line(entry.run)}, {ago(entry.at, time.time())}")
    terminal.say(f"asked  {one_line(entry.asked)}")
    terminal.say(json.dumps(entry.value, indent=2, ensure_ascii=False))
    return exits.SUCCEEDED


def _clear(project: Project, options: Any, terminal: Terminal) -> int:
    count = project.cache.remove(options.key)
    if options.json:
        terminal.say_json({"removed": count})
    else:
        terminal.say(f"removed {count} kept output{'' if count == 1 else 's'}")
    return exits.SUCCEEDED


command = Command(_arguments, _act)
