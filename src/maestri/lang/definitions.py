"""Definitions by their files: opened once each, resolved where one refers to another, checked together."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import TypeAlias

from maestri.errors import Diagnostic
from maestri.lang.checks import RULES
from maestri.lang.checks.subject import Circle, Subject
from maestri.lang.circles import by_needs, circles
from maestri.lang.expressions.types import ANY, Type
from maestri.lang.findings import Findings, in_order
from maestri.lang.load import Loaded, load, read_file
from maestri.lang.model import ArmDef, BodyDef, PatternDef, PhaseDef, StepDef, WorkflowDef, WorkflowRef
from maestri.lang.reader import read_workflow
from maestri.lang.shelves import Shelves
from maestri.lang.source import nearest, suggest
from maestri.lang.survey import Call, Survey, survey
from maestri.patterns._registry import PatternSpec
from maestri.records import NamedTuple

_PYTHON = r"(?P<module>[^:]+):(?P<function>[^\W\d]\w*)"
_DOTTED = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_FILE = r"(?is).*\.ya?ml"
_LISTED = 500  # files of a folder that a suggestion is looked for among
Foreign: TypeAlias = Callable[[str, Loaded], Loaded | None]


class PythonTarget(NamedTuple):
    """A workflow function: `module` is the dotted name of a module, or the path of a `.py` file."""

    module: str
    function: str

    @property
    def address(self) -> str:
        """The two as one text, `module:function`."""
        return f"{self.module}:{self.function}"


class _Opened(NamedTuple):
    definition: WorkflowDef | None
    findings: list[Diagnostic]
    text: str


def open_workflow(
    path: str, shown_as: str, patterns: Mapping[str, PatternSpec]
) -> tuple[WorkflowDef | None, list[Diagnostic]]:
    """Load and read a definition file; what it means is not looked at yet.

    Args:
        path: The file.
        shown_as: Its name in messages.
        patterns: The patterns by keyword.

    Returns:
        The definition as far as it could be read, and all findings, sorted by place.
    """
    definition, findings, _ = _read(read_file(path, shown_as), path, patterns)
    return definition, findings


def _read(loaded: Loaded, path: str, patterns: Mapping[str, PatternSpec]) -> _Opened:
    if loaded.tree is None:
        return _Opened(None, loaded.diagnostics, loaded.source.text)
    definition, findings = read_workflow(loaded.tree, loaded.source, path, patterns)
    own = [found for found in findings if not _is_explained(found, loaded.diagnostics)]
    return _Opened(definition, in_order([*loaded.diagnostics, *own]), loaded.source.text)


def _is_explained(found: Diagnostic, before: list[Diagnostic]) -> bool:
    """Tell whether a finding is about a value that could not be loaded: that has been said already."""
    at = None if found.span is None else found.span[:2]
    errors = [one for one in before if one.severity == "error"]
    return any(at and one.span and one.span[:2] <= at < one.span[2:] for one in errors)


class Library:
    """The definitions that one command looks at; each file is read once.

    Args:
        patterns: The patterns by keyword.
        known_agents: The names that `agent:` may use; none given, they are not checked.
        texts: Definitions by path, to be read in place of the files.
        shelves: Where workflows are found by name.
        foreign: Gives a definition that is written in another system's dialect as ours, or None.
    """

    def __init__(
        self,
        patterns: Mapping[str, PatternSpec],
        known_agents: Collection[str] = (),
        texts: Mapping[str, str] | None = None,
        shelves: Shelves | None = None,
        foreign: Foreign | None = None,
    ) -> None:
        self.shelves = shelves or Shelves()
        self._patterns = patterns
        self._known_agents = known_agents
        self.foreign = foreign
        self._given = None if texts is None else {_normal(path): text for path, text in texts.items()}
        self._opened: dict[str, _Opened] = {}
        self._texts: dict[str, str] = {}
        self._outer: dict[int, WorkflowDef] = {}  # by the id of an inner workflow; both live in `_opened`
        self._kept: list[WorkflowDef] = []

    def open(self, path: str, shown_as: str) -> tuple[WorkflowDef | None, list[Diagnostic]]:
        """Load and read a definition file, or return what it was the first time.

        Args:
            path: The file.
            shown_as: Its name in messages.
        """
        key = self._identity(path)
        if key not in self._opened:
            self._opened[key] = _read(self._loaded(path, shown_as), path, self._patterns)
            definition = self._opened[key].definition
            if definition is not None:
                self._adopt(definition)
        opened = self._opened[key]
        self._texts[_normal(path)] = opened.text
        return opened.definition, opened.findings

    def texts(self) -> dict[str, str]:
        """Return the text of every definition that was opened, by path: what `of_texts` takes."""
        return dict(self._texts)

    def of_texts(self, texts: Mapping[str, str], named: Mapping[str, str] | None = None) -> Library:
        """Return a library that reads these texts, by path, in place of files.

        Args:
            texts: The texts by path.
            named: The paths of those that are called by a name of the library's folders.
        """
        shelves = Shelves(known=named or {})
        return Library(self._patterns, self._known_agents, texts, shelves, self.foreign)

    def _loaded(self, path: str, shown_as: str) -> Loaded:
        text = None if self._given is None else self._given.get(_normal(path))
        loaded = read_file(path, shown_as) if text is None else load(text, shown_as)
        return (None if self.foreign is None else self.foreign(path, loaded)) or loaded

    def _exists(self, path: str) -> bool:
        if self._given is not None:
            return _normal(path) in self._given
        return "\0" not in path and os.path.lexists(path)

    def _identity(self, path: str) -> str:
        # Two names of one file are one definition, so that a circle through a link is found.
        return _normal(path) if self._given is not None or "\0" in path else os.path.realpath(path)

    def _adopt(self, definition: WorkflowDef) -> None:
        self._kept.append(definition)  # so that no other object gets the ids below
        for inner in definition.workflows.values():
            self._outer[id(inner)] = definition

    def resolve(self, ref: WorkflowRef, inside: WorkflowDef) -> WorkflowDef | PythonTarget | None:
        """Return what a `workflow:` names; None where there is no such thing, or it cannot be read.

        Args:
            ref: The reference.
            inside: The definition that it stands in.
        """
        if re.fullmatch(_FILE, ref.target):
            path = _beside(inside.file, ref.target)
            return self.open(path, _shown(inside, ref.target))[0] if self._exists(path) else None
        if ":" in ref.target:
            return _python(ref.target, inside)
        return self._named(inside).get(ref.target) or self._shelved(ref.target, inside)

    def _shelved(self, name: str, inside: WorkflowDef) -> WorkflowDef | None:
        """Return a workflow of the library's folders; one of the file's own hides it."""
        found = None if name in self._named(inside) else self.shelves.find(name)
        return None if found is None else self.open(found.path, found.shown_as)[0]

    def calls_python(self, definition: WorkflowDef) -> bool:
        """Tell whether a workflow function in Python is called by a definition, or by one that it calls."""
        every = [self.resolve(ref, one) for one in self._reached(definition) for ref in refs(one.steps)]
        return any(isinstance(target, PythonTarget) for target in every)

    def _named(self, inside: WorkflowDef) -> Mapping[str, WorkflowDef]:
        """Return the workflows that a definition sees by name: its file's."""
        return self._outer.get(id(inside), inside).workflows

    def check(self, definition: WorkflowDef) -> list[Diagnostic]:
        """Return all findings about a definition and the files it refers to, sorted by place, each once.

        Args:
            definition: What to check; the findings of its own file are among the result if it was opened
                here.
        """
        if id(definition) not in self._outer:
            self._adopt(definition)
        reached = self._reached(definition)
        found = [one for file in {part.file: None for part in reached} for one in self._findings_of(file)]
        for path in dict.fromkeys(path for part in reached for path in self._files_of(part)):
            found += self._findings_of(path)
        surveys = self._surveys(reached)
        rounds = self._circles(surveys)
        for part in reached:
            findings = Findings(part.source)
            survey_of = surveys[id(part)]
            subject = Subject(
                part,
                survey_of,
                findings,
                self._known_agents,
                {call.ref: self._absent(call, part) for call in survey_of.calls},
                rounds.get(id(part), []),
                self._outer.get(id(part)),
                {call.ref: self._double(call, part) for call in survey_of.calls},
            )
            for rule in RULES:
                rule(subject)
            found += findings.sorted()
        return in_order(list(dict.fromkeys(found)))

    def _findings_of(self, file: str) -> list[Diagnostic]:
        opened = self._opened.get(self._identity(file))
        return [] if opened is None else opened.findings

    def _files_of(self, definition: WorkflowDef) -> Iterator[str]:
        """Yield the files that a definition refers to, also those that cannot be read."""
        for ref in refs(definition.steps):
            if re.fullmatch(_FILE, ref.target):
                yield _beside(definition.file, ref.target)
            elif ref.target not in self._named(definition) and (found := self.shelves.find(ref.target)):
                yield found.path

    def _reached(self, definition: WorkflowDef) -> list[WorkflowDef]:
        """Return a definition, its inner workflows, and all that they refer to."""
        found = {id(definition): definition}
        waiting = [definition]
        while waiting:
            one = waiting.pop()
            targets = [self.resolve(ref, one) for ref in refs(one.steps)]
            for target in (*one.workflows.values(), *targets):
                if isinstance(target, WorkflowDef) and id(target) not in found:
                    found[id(target)] = target
                    waiting.append(target)
        return list(found.values())

    def _surveys(self, reached: list[WorkflowDef]) -> dict[int, Survey]:
        """Return the survey of each definition, made after those of what it calls: it knows their outputs."""
        by_key = {str(id(one)): one for one in reached}
        called = {key: [str(id(target)) for target in self._targets(one)] for key, one in by_key.items()}
        types: dict[int, Type] = {}
        found: dict[int, Survey] = {}
        for key in by_needs(called):
            one = by_key[key]
            made = survey(one, partial(self._target, inside=one), lambda to: types.get(id(to), ANY))
            types[id(one)] = made.output
            found[id(one)] = made
        return found

    def _target(self, ref: WorkflowRef, inside: WorkflowDef) -> WorkflowDef | None:
        target = self.resolve(ref, inside)
        return target if isinstance(target, WorkflowDef) else None

    def _targets(self, definition: WorkflowDef) -> list[WorkflowDef]:
        found = [self._target(ref, definition) for ref in refs(definition.steps)]
        return [target for target in found if target is not None]

    def _circles(self, surveys: Mapping[int, Survey]) -> dict[int, list[Circle]]:
        """Return the circles of calls that nothing can end, each with the definition that it begins in."""
        calls: dict[str, dict[str, Call]] = {str(key): {} for key in surveys}
        for key, one in surveys.items():
            for call in one.calls:
                if call.is_certain and call.target is not None:
                    calls[str(key)].setdefault(str(id(call.target)), call)
        found: dict[int, list[Circle]] = {}
        for circle in circles({key: list(to) for key, to in calls.items()}):
            names = [surveys[int(key)].definition.name for key in (*circle, circle[0])]
            call = calls[circle[0]][circle[1] if len(circle) > 1 else circle[0]]
            found.setdefault(int(circle[0]), []).append(Circle(call, tuple(names)))
        return found

    def _absent(self, call: Call, inside: WorkflowDef) -> str:
        """Return what to write instead of a reference that leads nowhere; an empty text where it does not."""
        target = call.ref.target
        if not target or self.resolve(call.ref, inside) is not None:
            return ""
        if re.fullmatch(_FILE, target):
            path = _beside(inside.file, target)
            if self._identity(path) in self._opened:
                return ""  # it is there, and its own findings say what is wrong with it
            return _nearest_file(target, _files_beside(inside.file, target))
        if ":" in target:
            return "write `module:function`, or `file.py:function` with a file beside this one"
        if self.shelves.find(target) is not None:
            return ""  # the findings of its file say what is wrong with it
        known = list(islice((*self._named(inside), *self.shelves.names()), _LISTED))
        return suggest(target, known) or "define it under `workflows:`, or name a file, such as `other.yaml`"

    def _double(self, call: Call, inside: WorkflowDef) -> str:
        """Return which other file of one folder has the name that is called; an empty text where none has."""
        target = call.ref.target
        if ":" in target or re.fullmatch(_FILE, target) or target in self._named(inside):
            return ""
        found = self.shelves.find(target)
        return "" if found is None or not found.also else f"`{found.shown_as}` and `{found.also}`"

    def output_of(self, definition: WorkflowDef) -> Type:
        """Return what is known of the output of a definition."""
        return self._surveys(self._reached(definition))[id(definition)].output


def refs(body: BodyDef) -> Iterator[WorkflowRef]:
    """Yield every reference to another workflow that a body holds."""
    for step in body.steps:
        yield from _refs_of(step)


def _refs_of(step: StepDef) -> Iterator[WorkflowRef]:
    if step.undo is not None:
        yield from refs(step.undo)
    if isinstance(step.action, PatternDef):
        for value in step.action.options.values():
            yield from _refs_in(value)


def _refs_in(value: object) -> Iterator[WorkflowRef]:
    """Yield what a part of a pattern refers to: an option, or one of the bodies by name that it holds."""
    if isinstance(value, WorkflowRef):
        yield value
    elif isinstance(value, BodyDef):
        yield from refs(value)
    elif isinstance(value, ArmDef | PhaseDef):
        yield from refs(value.body)
        yield from _refs_in(getattr(value, "validate", None))
    elif isinstance(value, dict):
        for one in value.values():
            yield from _refs_in(one)
    elif type(value) is tuple:
        for inner in value:
            yield from _refs_of(inner)


def _normal(path: str) -> str:
    return os.path.normpath(path)


def _beside(file: str, target: str) -> str:
    return os.path.join(os.path.dirname(file), target)  # noqa: PTH118, PTH120 - `target` may hold a NUL


def _shown(inside: WorkflowDef, target: str) -> str:
    folder = os.path.dirname(inside.source.name)  # noqa: PTH120 - a name in messages, not a path
    return os.path.normpath(os.path.join(folder, target))  # noqa: PTH118 - the same


def _python(target: str, inside: WorkflowDef) -> PythonTarget | None:
    """Return the address of a Python function if it can be one; nothing is imported to find out."""
    found = re.fullmatch(_PYTHON, target)
    if found is None:
        return None
    module, function = found["module"], found["function"]
    if not module.endswith(".py"):
        return PythonTarget(module, function) if re.fullmatch(_DOTTED, module) else None
    path = _beside(inside.file, module)
    return PythonTarget(path, function) if "\0" not in path and os.path.isfile(path) else None  # noqa: PTH113


def _nearest_file(target: str, known: list[str]) -> str:
    """Return what to write instead of a missing file; the ending, which all have, is not compared."""
    by_stem = {os.path.splitext(name)[0]: name for name in known}  # noqa: PTH122 - a name, not a path
    meant = nearest(os.path.splitext(target)[0], by_stem)  # noqa: PTH122 - the same
    return f"did you mean `{by_stem[meant]}`?" if meant else "look at the name and the folder"


def _files_beside(file: str, target: str) -> list[str]:
    """Return the definition files of the folder that a missing one should be in, as they would be named."""
    folder = os.path.dirname(target)  # noqa: PTH120 - as above
    try:
        with os.scandir(_beside(file, folder) or ".") as listed:
            names = [entry.name for entry in islice(listed, _LISTED)]
    except (OSError, ValueError):
        return []
    return [os.path.join(folder, name) for name in sorted(names) if re.fullmatch(_FILE, name)]  # noqa: PTH118
