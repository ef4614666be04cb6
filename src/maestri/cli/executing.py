"""What the commands that execute a run have in common: their options, and where the run happens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from maestri.cli.foreground import Way
from maestri.cli.main import DETACHED, resolve
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Parser
from maestri.kernel.ports import RunInfo
from maestri.project import Project

# The names are those of `maestri.importers`, which is loaded only when a file is of another system.
DIALECTS: Final = ("cascade", "task-orchestrator", "czarina")
Go = Callable[[Way, Terminal], int]


def execution_arguments(parser: Parser) -> None:
    """Declare the options of a command that executes a run."""
    parser.add_argument(
        "--json", action="store_true", help="print one JSON document at the end, and nothing else"
    )
    parser.add_argument("--plain", action="store_true", help="one line an event, also on a terminal")
    parser.add_argument(
        "--detach", action="store_true", help="go on without this terminal; print the run's name"
    )
    parser.add_argument(
        "--unsafe-no-sandbox",
        metavar="STEP",
        action="append",
        default=[],
        help="let this step (a path or a name) run without the sandbox that it asks for; it goes on record",
    )


def foreign_arguments(parser: Parser) -> None:
    """Declare the options for files of other systems."""
    parser.add_argument(
        "--as",
        dest="dialect",
        choices=DIALECTS,
        default="",
        help="the system that the file is of (default: recognised by its keys)",
    )
    parser.add_argument(
        "--default-agent",
        metavar="NAME",
        default="",
        help="who answers for agents of another system (default: $MAESTRI_DEFAULT_AGENT, then config.yaml)",
    )


def execute(options: Any, terminal: Terminal, go: Go) -> int:
    """Have a run executed here, or in a detached process; return the exit code."""
    if not options.detach:
        if options.json:
            terminal.keep_out()
        return go(Way(options.json, options.plain), terminal)

    def log_folder(run: RunInfo) -> Path:
        return Project(state=options.state).state.run_dir(run.id)

    code: int = resolve(DETACHED)(
        terminal,
        log_folder,
        lambda created, inner: go(Way(plain=True, created=created), inner),
        wants_json=options.json,
    )
    return code
