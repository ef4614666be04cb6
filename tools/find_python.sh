#!/bin/sh
# Print the first Python that is new enough and complete enough to make a virtual environment.
#
# A name on PATH proves nothing: a version shim answers to `python3.12` also where no 3.12 is chosen, and
# some systems ship `venv` without `ensurepip`. So each candidate has to show that it works.
set -eu

probe='import sys, ensurepip, sqlite3, ssl, venv; sys.exit(sys.version_info < (3, 11))'
for name in ${PYTHON:-} python3.11 python3.12 python3.13 python3.14 python3 python \
    /usr/bin/python3.11 /usr/bin/python3 /usr/local/bin/python3; do
    if command -v "$name" >/dev/null 2>&1 && "$name" -c "$probe" >/dev/null 2>&1; then
        # Not a shim and not the python of another environment, but the one behind it.
        exec "$name" -c 'import sys; print(getattr(sys, "_base_executable", None) or sys.executable)'
    fi
done
cat >&2 <<'TEXT'
no usable Python found: Maestri needs Python 3.11 or newer with venv, ensurepip, sqlite3 and ssl
  fix: install it (Debian and Ubuntu: `apt-get install python3 python3-venv`), or name one: `make PYTHON=/path/to/python3.12`
TEXT
exit 1
