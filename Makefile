# Everything a contributor or a CI machine runs. `make` alone lists the targets.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install try try-quality test test-fast check fmt bench campaign docs changelog clean

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
STAMP := $(VENV)/.installed
TESTS ?= tests

# The settings of another environment must not leak into this one. What says where packages come from stays.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP VIRTUAL_ENV PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## make .venv with Maestri and the tools of a developer in it; quick the second time

# The stamp holds the place it was made in: an environment that was moved, or lost its Python, is made anew.
SOUND := $(shell test "$$(cat $(STAMP) 2>/dev/null)" = "$(CURDIR)" && $(PY) -c "" 2>/dev/null && echo yes)
.PHONY: unsound
unsound:

$(STAMP): pyproject.toml $(if $(SOUND),,unsound)
	@if ! "$(PY)" -m pip --version >/dev/null 2>&1 || { test -s "$@" && test "$$(cat "$@")" != "$(CURDIR)"; }; then \
		python=$$(sh tools/find_python.sh) && echo "making $(VENV) with $$python" && \
		"$$python" -m venv --clear "$(VENV)"; fi
	"$(PY)" -m pip install --quiet --editable ".[dev]"
	@printf '%s' "$(CURDIR)" >"$@"

try: $(STAMP) ## watch Maestri work: five workers, one killed, what is good lands; no key, no account, no server
	@$(BIN)/maestri try

try-quality: $(STAMP) ## watch it look at this project with real tools, on a scratch clone
	@$(PY) tools/try.py

test: $(STAMP) ## run all tests (TESTS=path for some of them)
	@sh tools/system_packages.sh
	$(PY) -m pytest -n 2 --dist worksteal $(TESTS)

test-fast: $(STAMP) ## run the tests that start no processes, one after the other; the long proofs are left out
	$(PY) -m pytest -m "not slow" tests/unit tests/golden tests/kernel tests/patterns $(TESTS)

check: $(STAMP) ## run every gate: lint, format, types, layers, sizes, docstrings, errors, docs, changes
	@$(PY) tools/gates.py

fmt: $(STAMP) ## format the code and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP) ## measure Maestri against what the machine itself costs (BENCH="--rounds 3 chain")
	@$(PY) benchmarks/measure.py $(BENCH)

campaign: $(STAMP) ## run what tries to break Maestri, and write a page of counts (CAMPAIGN="--scale ci --minutes 30")
	@sh tools/system_packages.sh
	@$(PY) tools/campaign.py $(CAMPAIGN)

docs: $(STAMP) ## write the reference pages anew from the source
	@$(PY) tools/reference.py --write

changelog: $(STAMP) ## fold changes/ into CHANGELOG.md (VERSION=1.2.3)
	@$(PY) tools/changes.py --fold "$(VERSION)"

clean: ## remove what the tools have left, and the environment
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
