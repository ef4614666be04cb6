"""Finds a workflow that is a YAML file: reads, checks and compiles it, and records what it was."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maestri.errors import DefinitionError, WorkflowChanged
from maestri.kernel.runner import Definition
from maestri.lang.compile import compile_workflow
from maestri.lang.definitions import Library, PythonTarget
from maestri.lang.model import WorkflowDef, WorkflowRef
from maestri.patterns._registry import Workflow
from maestri.patterns.workflow import adapted
from maestri.project import python_files
from maestri.project.loaded import Loaded
from maestri.project.parts import part
from maestri.values import Json


def load(library: Library, target: str) -> Loaded:
    """Return the workflow of a file.

    Raises:
        DefinitionError: With everything that is wrong with it, and with the files it refers to.
    """
    path = str(Path(target).absolute())
    definition, findings = library.open(path, target)
    if definition is not None:
        findings = library.check(definition)
    errors = [found for found in findings if found.severity == "error"]
    if errors or definition is None:
        raise DefinitionError(findings)
    return _loaded(library, definition, path)


def recorded(library: Library, record: Mapping[str, Any], run: str, *, as_recorded: bool) -> Loaded:
    """Return the definition that a run was started with.

    Args:
        library: Reads and checks files.
        record: What the journal has of the definition.
        run: The name of the run, for the message.
        as_recorded: Go on with the recorded text although the file has changed.

    Raises:
        WorkflowChanged: A file is not what it was; names the first step that differs.
        DefinitionError: The recorded text is wrong for this version.
    """
    texts: dict[str, str] = dict(record["files"])
    main: str = record["file"]
    if not as_recorded:
        _refuse_changes(library, texts, main, run)
    frozen = library.of_texts(texts, record.get("named"))
    recall = getattr(frozen.foreign, "recall", None)
    if recall is not None:
        recall(record.get("imported", {}))
    definition, findings = frozen.open(main, str(record["shown_as"]))
    if definition is not None:
        findings = frozen.check(definition)
    if definition is None or any(found.severity == "error" for found in findings):
        raise DefinitionError(findings)
    return _loaded(frozen, definition, main)


def _refuse_changes(library: Library, texts: Mapping[str, str], main: str, run: str) -> None:
    for path, text in texts.items():
        try:
            now = Path(path).read_bytes().decode("utf-8").removeprefix("\ufeff")
        except FileNotFoundError:
            raise _deleted(path, run) from None
        except (OSError, UnicodeDecodeError) as error:
            now, missing = None, f"it cannot be read: {error}"
        else:
            missing = ""
        if now != text:
            what = missing if now is None else part("changes")(library, path, text, now)
            message = f"`{Path(path).name}` is not what this run was started with"
            fix = (
                "put the file back as it was; or go on with what was recorded: "
                f"`maestri resume {run} --recorded`; "
                f"or start a new run: `maestri run {Path(main).name}`"
            )
            raise WorkflowChanged(message, cause=what, fix=fix, file=path)


def _deleted(path: str, run: str) -> WorkflowChanged:
    fix = f"put the file back; or go on with what was recorded: `maestri resume {run} --recorded`"
    return WorkflowChanged(f"`{Path(path).name}` was deleted", fix=fix, file=path)


def _loaded(library: Library, definition: WorkflowDef, path: str) -> Loaded:
    folder = str(Path(path).parent)
    if folder not in sys.path:
        sys.path.append(folder)  # the functions of `call:` stand beside the file; last, so it hides nothing

    def target(ref: WorkflowRef, inside: WorkflowDef) -> Workflow:
        found = library.resolve(ref, inside)
        if isinstance(found, PythonTarget):
            return adapted(python_files.load(found.address).definition.body)
        if found is None:
            raise DefinitionError(library.check(inside))
        return compile_workflow(found, target)

    record: dict[str, Json] = {
        "kind": "yaml",
        "file": path,
        "shown_as": definition.source.name,
        "files": dict(library.texts()),
    }
    if named := library.shelves.paths():
        record["named"] = dict(named)
    foreign: Any = library.foreign
    if foreign is not None and (made_of := foreign.record()):
        record["imported"] = made_of
    body = compile_workflow(definition, target)
    keeps_frames = library.calls_python(definition)  # a `finally` of its user must not run at parking
    made = Definition(definition.name, body, record, definition.version, definition.timeout_s, keeps_frames)
    warnings = () if foreign is None else tuple(foreign.findings)
    return Loaded(definition.name, made, definition.inputs, definition, path, warnings)
