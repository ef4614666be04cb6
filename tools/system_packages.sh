#!/bin/sh
# See to it that the programs which the tests start are there; install them where that is allowed.
#
# Without root or sudo nothing is installed: the missing programs are named, and the exit code is 1 if a test
# cannot do without one. Tests that need one of the others are skipped, and say so.
set -eu

missing=""
needed=""
need() { # need PROGRAM PACKAGE
    command -v "$1" >/dev/null 2>&1 || { missing="$missing $2" && needed="yes"; }
}
like() { # like PROGRAM PACKAGE
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

need git git
if [ "$(uname)" = Linux ]; then
    like bwrap bubblewrap # the strong sandbox; its tests say why it does not work where it does not
    like zsh zsh       # `maestri shell-init` is tried in each shell that it writes for
    like fish fish
    like strace strace # power cuts are simulated from what it records
fi

[ -n "$missing" ] || exit 0

if command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" -eq 0 ]; then
        as_root=""
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        as_root="none"
    fi
    if [ "$as_root" != none ]; then
        echo "installing with apt:$missing"
        # shellcheck disable=SC2086  # both are lists of words
        $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends $missing && exit 0
    fi
fi
echo "missing on this machine:$missing" >&2
echo "  fix: install with your system's package manager (here: apt-get install$missing), then try again" >&2
[ -z "$needed" ]
