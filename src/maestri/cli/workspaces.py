"""`maestri workspaces`: the places that steps work in, and what is in them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from maestri.cli import exits
from maestri.cli.terminal import Terminal
from maestri.cli.usage import BadArguments, Command, Parser
from maestri.errors import Diagnostic, NotLanded, RunInUse
from maestri.kernel.ports import Held
from maestri.project import Project
from maestri.report.wording import clean, one_line

_ACTIONS = ("list", "show", "clean")
_PREFIX = "maestri/"
_SHORT = 12


def _arguments(parser: Parser) -> None:
    parser.add_argument("action", metavar="list|show|clean", choices=_ACTIONS, help="what to do")
    parser.add_argument("names", metavar="NAME", nargs="*", default=[], help="workspaces, or runs")
    parser.add_argument("--all", action="store_true", help="also those of other folders")
    parser.add_argument(
        "--discard", metavar="NAME", nargs="+", default=[], help="clean these, although they have not landed"
    )
    parser.add_argument("--json", action="store_true", help="as a JSON document")


def _act(options: Any, terminal: Terminal) -> int:
    project = Project(state=options.state)
    project.state.inspect()
    found = _chosen(project, options)
    if options.action == "list":
        return _list(found, options, terminal)
    return (
        _show(project, found, options, terminal)
        if options.action == "show"
        else _clean(project, found, options, terminal)
    )


def _chosen(project: Project, options: Any) -> list[Held]:
    """Return the workspaces that are meant: those of some names, or of the runs of this folder.

    Raises:
        BadArguments: Nothing has one of the names, or none is given where one is needed.
    """
    names = [*options.names, *options.discard]
    if options.names and options.discard:
        raise BadArguments("some are to be discarded, and others not", fix="clean them one after the other")
    if not names and options.action == "show":
        message = "which workspace is meant?"
        raise BadArguments(message, fix="name it: `maestri workspaces list` lists them")
    mine = None if options.all or names else {run.id for run in project.runs()}
    held = [one for one in project.workspaces.held() if mine is None or one.workspace.run in mine]
    if not names:
        return held
    chosen = [one for one in held if any(_is_meant(one, name) for name in names)]
    for name in names:
        if not any(_is_meant(one, name) for one in held):
            message = f"there is no workspace `{one_line(name)}`"
            raise BadArguments(message, fix="`maestri workspaces list --all` lists what there is")
    return chosen


def _name(held: Held) -> str:
    return held.workspace.branch.removeprefix(_PREFIX)


def _is_meant(held: Held, name: str) -> bool:
    """Tell whether a name is that of a workspace, of its branch, or of its run."""
    own = _name(held)
    return name.removeprefix(_PREFIX) in {own, own.partition("/")[0], held.workspace.run}


def _as_json(held: Held) -> dict[str, Any]:
    return {
        "name": _name(held),
        "state": held.state,
        "commit": held.commit,
        **held.workspace.as_json(),
    }


def _list(found: Sequence[Held], options: Any, terminal: Terminal) -> int:
    if options.json:
        terminal.say_json([_as_json(one) for one in found], indent=2)
        return exits.SUCCEEDED
    width = max((len(_name(one)) for one in found), default=0)
    for one in found:
        terminal.say(f"{_name(one):<{width}}  {one.state:<7}  {one.commit[:_SHORT] or '-':<{_SHORT}}  "
                     f"{one_line(one.workspace.dir)}")  # fmt: skip
    if not found:
        terminal.say("there are no workspaces here; `--all` shows those of other folders")
    return exits.SUCCEEDED


def _show(project: Project, found: Sequence[Held], options: Any, terminal: Terminal) -> int:
    shown = []
    for one in found:
        work = None if one.state == "gone" else project.workspaces.look(one.workspace)
        files = {} if work is None else {word: list(getattr(work, word)) for word in _WORDS}
        stray = [] if work is None else [dict(item) for item in work.stray]
        shown.append({**_as_json(one), **files, "stray": stray})
    if options.json:
        terminal.say_json(shown, indent=2)
        return exits.SUCCEEDED
    for document in shown:
        for key in ("name", "state", "run", "path", "dir", "repository", "branch", "base", "commit"):
            terminal.say(f"{key:<11} {one_line(str(document[key])) or '-'}")
        terminal.say(f"{'claims':<11} {one_line(' '.join(document['claims'])) or 'everything'}")
        for word in _WORDS:
            for path in document.get(word, ()):
                terminal.say(f"{word:<11} {one_line(path)}")
        for item in document["stray"]:
            terminal.say(f"{'stray':<11} {one_line(item['path'])}: {item['why']}")
    return exits.SUCCEEDED


_WORDS = ("added", "changed", "deleted")


def _clean(project: Project, found: Sequence[Held], options: Any, terminal: Terminal) -> int:
    alive = {run.id for run in project.runs(everywhere=True) if run.alive}
    reasons = {_name(one): _removed(project, one, alive, discard=bool(options.discard)) for one in found}
    removed = [name for name, reason in reasons.items() if reason is None]
    kept = {name: reason for name, reason in reasons.items() if reason is not None}
    if options.json:
        listed = [{"name": name, "reason": reason.as_json()} for name, reason in kept.items()]
        terminal.say_json({"removed": removed, "kept": listed})
        return exits.FAILED if kept and options.names else exits.SUCCEEDED
    for name in removed:
        terminal.say(f"removed {name}")
    for name, reason in kept.items():
        terminal.say(f"kept    {name}")
        terminal.tell(clean(reason.text()))
    if not found:
        terminal.say("there is nothing to clean")
    return exits.FAILED if kept and options.names else exits.SUCCEEDED


def _removed(project: Project, held: Held, alive: Collection[str], *, discard: bool) -> Diagnostic | None:
    """Remove a workspace, or return why it is kept."""
    if held.workspace.run in alive:
        message = f"the run of `{held.workspace.path}` is going on"
        return RunInUse(message, fix="wait for its end, or cancel it").diagnostic
    try:
        project.workspaces.remove(held.workspace, discard=discard)
    except NotLanded as error:
        return error.diagnostic
    return None


command = Command(_arguments, _act)
