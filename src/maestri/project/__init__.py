"""The composition root: the only place that knows the engine, the agents, the language and the patterns.

Rule 1: looking (`runs`, `find`, `reader`) imports no event loop and writes nothing.
Rule 2: what is heavy is in a table of names (`parts.py`) and loaded when it is first needed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maestri.engines.sqlite import mailbox
from maestri.engines.statedir import StateDir, locate
from maestri.errors import (
    ConfigError,
    DefinitionError,
    Diagnostic,
    EngineError,
    JournalDamaged,
    JournalTooNew,
    MaestriError,
    RunAmbiguous,
    RunNotFound,
    StateUnusable,
    WorkflowMissing,
)
from maestri.kernel.events import RUN_SUCCEEDED
from maestri.kernel.path import ROOT, parse
from maestri.kernel.ports import Agent, Engine, Message, Reader, RunInfo, Workspaces
from maestri.project.given import refuse_not_portable
from maestri.project.loaded import CommandLine, Loaded
from maestri.project.parts import CACHE, WORKTREES, load, part
from maestri.values import Json

if TYPE_CHECKING:
    from maestri.kernel.events import Event
    from maestri.kernel.ports import Notice
    from maestri.kernel.runner import Execution
    from maestri.lang.model import WorkflowDef

__all__ = ["CommandLine", "Loaded", "Project"]

_YAML = (".yaml", ".yml", ".json")
_EXAMINING_S = 2.0
_DAMAGES: dict[str, type[EngineError]] = {
    error.code: error for error in (EngineError, JournalDamaged, JournalTooNew, StateUnusable)
}


class Project:
    """One state directory and one working directory, with all that it takes to run workflows in them."""

    def __init__(
        self,
        *,
        state: str | None = None,
        durability: str = "power-safe",
        cwd: str | None = None,
        agents: Mapping[str, Agent] | None = None,
        engine: Engine | None = None,
        default_agent: str = "",
        dialect: str = "",
    ) -> None:
        """Name the places; nothing is opened.

        Args:
            state: The state directory; `$MAESTRI_STATE` or the user's own without it.
            durability: `power-safe` (survives a power cut) or `kill-safe` (faster; survives kill -9 only).
            cwd: The working directory of new runs; that of the process without it.
            agents: More agents, by the name that steps give.
            engine: Another engine, for instance one in memory.
            default_agent: Who answers for agents that a file of another system names.
            dialect: The other system that definitions are of; by recognition without it.
        """
        environ = os.environ
        self.state = StateDir(Path(state).absolute() if state else locate(environ), environ)
        self._cwd = str(Path(cwd).absolute()) if cwd else None
        self.on_pause: Callable[[str], None] | None = None
        self.on_warning: Callable[[str], None] | None = None
        self._durability = durability
        self._agents = dict(agents or {})
        self._engine = engine
        self._foreign = (default_agent, dialect)
        self.unsafe_no_sandbox: Sequence[str] = ()  # steps that may run without the one that they ask for
        self._catalog: Any = None
        self._doing: Any = None

    @property
    def cwd(self) -> str:
        """The working directory of new runs; what needs none works where there is none any more.

        Raises:
            ConfigError: It does not exist.
        """
        if self._cwd is None:
            self._cwd = _getcwd()
        return self._cwd

    @property
    def patterns(self) -> Any:
        """The patterns by keyword, as the language takes them."""
        return part("patterns")()

    # --- definitions --------------------------------------------------------------------------------

    def load(self, target: str) -> Loaded:
        """Return a checked definition: `flow.yaml`, `flow.py`, `flow.py:function` or `module:function`.

        Raises:
            DefinitionError: With all findings; also where there is no such file.
            WorkflowMissing: It is neither the name of a file nor of a module.
        """
        if target.endswith(_YAML) or self._foreign[1]:
            return part("yaml")(self.library(), target)  # type: ignore[no-any-return]
        _refuse_unfit(target)
        if ":" in target or target.endswith(".py"):
            return part("python")(target)  # type: ignore[no-any-return]
        message, cause = f"`{target}` is no workflow", "it is neither a file nor `module:function`"
        near = next((target + ending for ending in (*_YAML, ".py") if Path(target + ending).is_file()), "")
        fix = f"did you mean `{near}`?" if near else "give a `.yaml` or `.py` file, or `module:function`"
        raise WorkflowMissing(message, cause=cause, fix=fix)

    def of_function(self, function: Callable[..., Any]) -> Loaded:
        """Return a workflow function as a definition.

        Raises:
            UsageError: It is no async function, or takes no context.
        """
        return load("maestri.project.python_files:loaded")(function)  # type: ignore[no-any-return]

    def check(self, targets: Sequence[str]) -> list[Diagnostic]:
        """Return the findings in some definitions; no code of theirs is run, Python files aside."""
        found: list[Diagnostic] = []
        for target in targets:
            if target.endswith(_YAML) or self._foreign[1]:
                library = self.library()
                definition, findings = library.open(str(Path(target).absolute()), target)
                found += findings if definition is None else library.check(definition)
                continue
            try:
                self.load(target)
            except MaestriError as error:
                found += getattr(error, "diagnostics", [error.diagnostic])
        return found

    def library(self) -> Any:
        """Return a new reader of definitions, with the patterns and agents of this project."""
        agents = frozenset({"run", "call", "echo", *self._agents})
        foreign = part("foreign")(agents, *self._foreign)
        return part("library")(self.patterns, agents, None, part("shelves")(self._folders), foreign)

    def _folders(self) -> Any:
        return part("folders")(self.cwd, os.environ)

    def inputs_for(self, loaded: Loaded, given: Mapping[str, Any]) -> dict[str, Json]:
        """Return the inputs of a run: texts read as their types say, defaults filled in.

        Raises:
            InputsWrong: With all findings, each where the input is declared.
        """
        found: dict[str, Json] = part("inputs")(
            loaded.inputs, given, CommandLine, lambda: part("declared")(loaded)
        )
        refuse_not_portable(found)
        return found

    # --- looking ------------------------------------------------------------------------------------

    @property
    def cache(self) -> Any:
        """The outputs of steps that are kept for other runs."""
        return load(CACHE)(self.state.root / "cache")

    @property
    def workspaces(self) -> Workspaces:
        """The places that steps work in."""
        return load(WORKTREES)(self.state.root / "runs", self.state.workspaces)  # type: ignore[no-any-return]

    @property
    def catalog(self) -> Any:
        """What there is to read in the state directory."""
        if self._catalog is None:
            self.state.inspect()
            self._catalog = part("catalog")(self.state)
        return self._catalog

    def runs(self, *, everywhere: bool = False) -> list[RunInfo]:
        """Return the runs of this working directory, or all, oldest first."""
        here = None if everywhere else self.cwd
        return [run for run in self.catalog.runs() if here is None or run.cwd == here]

    def find(self, text: str) -> RunInfo:
        """Return the run of a name, of a beginning of its name or id, or the last one (`@last`).

        Raises:
            RunNotFound: There is none.
            RunAmbiguous: There are several.
            EngineError: There is none in what can be read, and a journal file cannot be read.
        """
        if text == "@last":
            mine = self.runs()
            if mine:
                return mine[-1]
            message = "there are no runs in this folder yet"
            fix = "start one with `maestri run FILE`; `maestri ps --all` shows the others"
            raise self._unless_damaged(RunNotFound(message, fix=fix))
        everything = self.catalog.runs()
        exact = [run for run in everything if text in {run.name, run.id}]
        found = exact or [
            r for r in everything if text and (r.name.startswith(text) or r.id.startswith(text))
        ]
        if len(found) == 1:
            run: RunInfo = found[0]
            return run
        if found:
            names = ", ".join(f"`{run.name}`" for run in found[-5:])
            message = f"{len(found)} runs begin with `{text}`: {names}"
            raise RunAmbiguous(message, fix="type more of the name")
        message = f"there is no run `{text[:80]}`"
        known = load("maestri.lang.source:suggest")(text, [run.name for run in everything[-200:]])
        fix = known or "see what there is with `maestri ps --all`"
        raise self._unless_damaged(RunNotFound(message, fix=fix))

    def _unless_damaged(self, error: RunNotFound) -> MaestriError:
        """Return what is to be said of a run that is nowhere: it may be in a file that cannot be read."""
        for finding in (*self.damage(), *self.examine(_EXAMINING_S)):
            cls = _DAMAGES.get(finding.code)
            if cls is not None and finding.run is None:
                message = f"{error.message}; but {finding.message}"
                return cls(message, cause=finding.cause, fix=finding.fix, file=finding.file)
        return error

    def reader(self, run: RunInfo) -> Reader:
        """Return a reader of a run's events; it must be closed."""
        return part("reader")(self.catalog, run.id)  # type: ignore[no-any-return]

    def handled(self) -> dict[str, int]:
        """Return how many failures runs that succeeded have handled, by their ids; others are left out."""
        # All at once: a question for each of a thousand runs would take half a second.
        ends = self.catalog.ends(RUN_SUCCEEDED, '"handled":')
        return {run_id: end.body["handled"] for run_id, end in ends.items() if "handled" in end.body}

    def log_files(self, run: RunInfo, path: str) -> list[tuple[int, str]]:
        """Return the logs of a step that there are, with the number of the attempt."""
        found = []
        attempt = 1
        while (file := self.state.log_path(run.id, parse(path), attempt)).exists() or attempt == 1:
            if file.exists():
                found.append((attempt, str(file)))
            attempt += 1
        return found

    def damage(self) -> list[Diagnostic]:
        """Return what kept files of the state directory from being read in the last look at them."""
        return self.catalog.damage()  # type: ignore[no-any-return]

    def examine(self, limit_s: float) -> list[Diagnostic]:
        """Return what is wrong with the journal files and their newest runs, as far as the time allows."""
        return part("examine")(self.state, limit_s)  # type: ignore[no-any-return]

    # --- doing --------------------------------------------------------------------------------------

    @property
    def doing(self) -> Any:
        """What an executing process holds; made at the first use."""
        if self._doing is None:
            self._doing = part("doing")(
                self.state, self._durability, self._agents, self._tell_pause, self._engine, self._warn
            )
            self._doing.isolating.unsafe = self.unsafe_no_sandbox
        return self._doing

    def _warn(self, text: str) -> None:
        if self.on_warning is not None:
            self.on_warning(text)

    def _tell_pause(self, text: str) -> None:
        if self.on_pause is not None:
            self.on_pause(text)

    async def start(self, loaded: Loaded, inputs: Mapping[str, Json]) -> Execution:
        """Create a run and begin it."""
        if self._engine is None and self._doing is None:
            self.state.prepare()
        return await self.doing.start(loaded, dict(inputs), self.cwd)  # type: ignore[no-any-return]

    async def resume(self, run: RunInfo, *, recorded: bool = False, as_: Loaded | None = None) -> Execution:
        """Take a run over and go on from where its journal ends.

        Args:
            run: The run.
            recorded: Go on with the definition that the journal has, although its file has changed.
            as_: Go on with another definition that asks for the same steps (the Python twin of a YAML file).

        Raises:
            WorkflowChanged: The file is not what it was.
            RunEnded: The run has succeeded.
            RunInUse: Another process executes it.
        """
        self.doing.refuse_succeeded(run)
        loaded = as_ or self.definition_of(run, recorded=recorded)
        return await self.doing.resume(run, loaded)  # type: ignore[no-any-return]

    def definition_of(self, run: RunInfo, *, recorded: bool = False) -> Loaded:
        """Return the definition that a run was started with.

        Raises:
            WorkflowChanged: Its file is not what it was, and `recorded` is not set.
            WorkflowMissing: It cannot be found.
        """
        reader = self.doing.engine.read(run.id)
        try:
            record = reader.run_events()[0].body["definition"]
        finally:
            reader.close()
        if record["kind"] == "yaml":
            recall = part("recorded")
            return recall(self.library(), record, run.name, as_recorded=recorded)  # type: ignore[no-any-return]
        module, _, name = record["function"].partition(":")
        target = f"{record['file']}:{name}" if record["file"] else f"{module}:{name}"
        return part("python")(target)  # type: ignore[no-any-return]

    def model_of(self, run: RunInfo) -> WorkflowDef | None:
        """Return the model that a run was started with, for those who only look; None where it has none.

        A definition in Python has no model; what is recorded may also be wrong for this version.
        """
        reader = self.reader(run)
        try:
            record = reader.run_events()[0].body["definition"]
        finally:
            reader.close()
        if record["kind"] != "yaml":
            return None
        library = self.library().of_texts(dict(record["files"]), record.get("named"))
        library.foreign.recall(record.get("imported", {}))
        return library.open(record["file"], record["shown_as"])[0]  # type: ignore[no-any-return]

    async def direct(self, run: RunInfo, verb: str, path: str, output: Json = None) -> None:
        """Record what a person has decided about a step: `retry`, `skip` or `accept` with an output."""
        if run.alive:
            self.post(run, verb, {"path": parse(path), **({"output": output} if verb == "accept" else {})})
        else:
            await self.doing.direct(run, verb, parse(path), output)

    def post(self, run: RunInfo, verb: str, data: Mapping[str, Json]) -> None:
        """Put a message into the mailbox of a run; it is stored when this returns."""
        mailbox.post(self.state, run.id, Message(os.urandom(16).hex(), verb, dict(data)))

    async def cancel(self, run: RunInfo, path: str = ROOT) -> str:
        """Cancel a run, or a step of it; returns what has happened in words."""
        place = parse(path)
        if run.alive:
            self.post(run, "cancel", {"path": place, "by": "request"})
            what = "the run" if place == ROOT else f"`{place}`"
            return f"asked the process that executes `{run.name}` to cancel {what}"
        await self.doing.cancel_idle(run, place)
        return f"cancelled `{run.name}`"

    def watch(
        self,
        listener: Callable[[str, Sequence[Event]], None],
        notices: Callable[[str, Notice], None],
    ) -> None:
        """Tell a listener what this process stores, and another one what is only passing."""
        self.doing.watch(listener, notices)

    async def close(self) -> None:
        """Stop the agents, store what waits, and let go of the files."""
        if self._catalog is not None:
            self._catalog.close()  # before the writer: the last connection of a file tidies it up
            self._catalog = None
        if self._doing is not None:
            await self._doing.close()
            self._doing = None


def _refuse_unfit(target: str) -> None:
    """Refuse what cannot be a file of a workflow, in the same words for YAML and for Python.

    Raises:
        DefinitionError: It is a folder, a pipe or a device, or a Python file that is not there.
    """
    place = target.partition(":")[0]
    if not Path(place).is_file() and (place.endswith(".py") or Path(place).exists()):
        problem = load("maestri.lang.load:unfit")(place, place)
        if problem is not None:
            raise DefinitionError([problem])


def _getcwd() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        message = "the working directory does not exist any more"
        raise ConfigError(message, fix="change to a folder that exists") from None
