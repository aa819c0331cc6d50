# The same few words for people and for continuous integration. `make` alone lists them.

PYTHON ?= python3
OLDEST := 3.11
VENV := .venv
BIN := $(VENV)/bin
REELBASE := $(BIN)/reelbase
SAMPLE := data/sample

# The lowest version of Python whose packages the locks must hold; make lock UPGRADE=--upgrade takes the newest releases.
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url \
        --python-version $(OLDEST) $(UPGRADE)
# Two processes, each with a server of its own; a file's tests stay together, for the fixtures they share.
PARALLEL := --numprocesses 2 --dist loadfile
# Errors only: not even the warnings that a machine's own configuration brings.
INSTALL := $(BIN)/python -m pip install -qq

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup setup-dev run test test-all test-failed test-long check bench stop psql lock docs screenshots clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/.run ## install Reelbase and what it needs in .venv

setup-dev: $(VENV)/.dev ## the same, with what the tests and checks need

# The database that this has started ends with it, unless somebody else uses it. A trap, so that Ctrl-C reaches the
# commands and not the shell between them.
run: setup $(SAMPLE) ## make a sample, import it, serve pages, API and import console until Ctrl-C
	@trap : INT; \
	was_up=$$($(REELBASE) db status --json | grep -c '"running": true'); \
	$(REELBASE) import $(SAMPLE) --dataset all && $(REELBASE) serve; \
	code=$$?; \
	if [ "$$was_up" = 0 ]; then $(REELBASE) db stop --if-alone; fi; \
	exit $$code

test: setup-dev ## run the tests that take a few seconds each
	$(BIN)/pytest $(PARALLEL) -m "not slow and not long"

test-all: setup-dev ## run all tests but those that take minutes each
	$(BIN)/pytest $(PARALLEL) -m "not long"

test-failed: setup-dev ## run the tests that have failed last once more, one after the other
	$(BIN)/pytest --last-failed --last-failed-no-failures all -m "not long"

test-long: setup-dev ## run the tests that take minutes each
	$(BIN)/pytest -m long

check: setup-dev ## lint, formatting, types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: setup ## make the figures of the README again (ten minutes and more, see bench/README.md)
	$(BIN)/python bench/import_movielens.py
	$(BIN)/python bench/import_imdb.py
	$(BIN)/python bench/api.py
	$(BIN)/python bench/export.py
	$(BIN)/python bench/beside_import.py

psql: setup ## open psql on the database
	@$(REELBASE) db psql

stop: ## stop the embedded PostgreSQL
	@if [ -x $(REELBASE) ]; then $(REELBASE) db stop; else echo "Nothing is set up here, so nothing runs."; fi

lock: setup-dev ## write requirements/run.lock and requirements/dev.lock from pyproject.toml
	$(LOCK) -o requirements/run.lock --group build pyproject.toml
	$(LOCK) -o requirements/dev.lock -c requirements/run.lock --group build --group dev pyproject.toml

docs: setup ## write the generated pages of docs/reference
	$(BIN)/python docs/generate.py

screenshots: setup-dev ## take pictures of every page of the server that runs on port 8000
	$(BIN)/python docs/screenshots.py

# The server's programs lie in .venv, so a server that runs is stopped first. The database itself stays.
clean: ## remove .venv, the sample and all caches
	@if [ -x $(REELBASE) ] && [ -z "$$REELBASE_DATABASE_URL" ]; then $(REELBASE) db stop; fi
	rm -rf $(VENV) $(SAMPLE) $(SAMPLE).partial dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests bench docs -name __pycache__ -type d -prune -exec rm -rf {} +

# The sample gets its name when it is complete. MovieLens has more than its share: its full size is a seventh of IMDb's.
$(SAMPLE): | $(VENV)/.run
	@mkdir -p $(@D) && rm -rf $@.partial
	@$(REELBASE) sample $@.partial --scale 0.003 --movielens-scale 0.02 --seed 1 > /dev/null
	@mv $@.partial $@
	@echo "A sample is in $@: made-up files in the formats of MovieLens, IMDb and TMDb that belong together."

$(VENV)/.run: requirements/run.lock pyproject.toml | $(VENV)/.made
	@echo "Installing what Reelbase needs (once) ..."
	@$(INSTALL) --require-hashes -r requirements/run.lock
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.lock pyproject.toml | $(VENV)/.made
	@echo "Installing what the tests and checks need (once) ..."
	@$(INSTALL) --require-hashes -r requirements/dev.lock
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run

# A folder that was begun and not finished is begun anew; one made otherwise is taken as it is, if its Python will do.
$(VENV)/.made:
	@will_do='import sys; sys.exit(sys.version_info < tuple(map(int, "$(OLDEST)".split("."))))'; found=; \
	if $(BIN)/python -c "import pip; $$will_do" 2>/dev/null; then touch $@; exit 0; fi; \
	for python in "$(PYTHON)" python3.13 python3.12 python3.11; do \
	    if "$$python" -c "$$will_do" 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "Reelbase needs Python $(OLDEST) or newer; \"$(PYTHON)\" is older or missing: make PYTHON=/path/to/python3." >&2; \
	    exit 1; \
	fi; \
	"$$found" -m venv --clear $(VENV) && touch $@
