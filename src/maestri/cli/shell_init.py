"""`maestri shell-init`: functions with which a shell script of a step reports."""

from __future__ import annotations

from typing import Any, Final

from maestri.cli import exits
from maestri.cli.terminal import Terminal
from maestri.cli.usage import Command, Parser

# The name behind `maestri_log_` and `czarina_log_`, and what is reported.
FUNCTIONS: Final = {
    "started": "started",
    "task_start": "task-started",
    "checkpoint": "checkpoint",
    "task_complete": "task-completed",
    "blocked": "blocked",
    "unblocked": "unblocked",
    "done": "done",
}
PREFIXES: Final = ("maestri_log_", "czarina_log_")

# Outside of a step nobody listens, and a script that is tried by hand must not fail of that.
_SH: Final = """\
maestri_tell() {
  if [ -z "${MAESTRI_MAILBOX:-}" ]; then
    printf 'not in a step, so nobody is told: %s\\n' "$*" >&2
  elif [ -x "${MAESTRI_TELL:-}" ]; then
    "$MAESTRI_TELL" "$@"
  else
    maestri tell "$@"
  fi
}"""
_FISH: Final = """\
function maestri_tell
  if test -z "$MAESTRI_MAILBOX"
    echo "not in a step, so nobody is told: $argv" >&2
  else if test -x "$MAESTRI_TELL"
    $MAESTRI_TELL $argv
  else
    maestri tell $argv
  end
end"""


def _arguments(parser: Parser) -> None:
    parser.add_argument(
        "shell",
        nargs="?",
        choices=["sh", "bash", "zsh", "fish"],
        default="sh",
        help='for which shell (default: sh, which bash and zsh take too): eval "$(maestri shell-init)"',
    )


def _act(options: Any, terminal: Terminal) -> int:
    terminal.say(functions(options.shell))
    return exits.SUCCEEDED


def functions(shell: str) -> str:
    """Return the text that a shell evaluates."""
    is_fish = shell == "fish"
    lines = [_FISH if is_fish else _SH]
    for prefix in PREFIXES:
        for name, what in FUNCTIONS.items():
            # A log that cannot be written must not end a script; a blocker that nobody hears of must.
            otherwise = "" if what == "blocked" else "; or true" if is_fish else " || :"
            call = f"maestri_tell {what} $argv" if is_fish else f'maestri_tell {what} "$@"'
            body = f"{call}{otherwise}"
            form = "function {}; {}; end" if is_fish else "{}() {{ {}; }}"
            lines.append(form.format(prefix + name, body))
    return "\n".join(lines)


command = Command(_arguments, _act)
