# Command Center: the commands one remembers. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
# Most tests wait for servers and clocks: more of them at once than there are cores.
WORKERS ?= 4
export COMMAND_CENTER_DATA ?= var

.PHONY: help demo setup assets test long check bench pictures lock clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/ready-test: .venv/ready requirements-test.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	@touch $@

setup: .venv/ready assets  ## make .venv and install from the lock

assets: .venv/ready  ## front-end files (the typeface) by npm, checked by hash; without npm the system's typefaces serve
	@$(BIN)/python assets/fetch.py

demo: setup  ## simulated agencies, collectors and screens: prints the addresses
	$(BIN)/command-center demo

test: .venv/ready-test assets  ## the suite (installs chromium, mariadb, postgresql when missing and permitted)
	@tests/packages.sh
	$(BIN)/python -m pytest -m "not long" -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

long: .venv/ready-test assets  ## the full numbers: what `test` leaves out (up to 45 minutes)
	@tests/packages.sh
	$(BIN)/python -m pytest -m long -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: .venv/ready-test  ## ruff, mypy, import contracts, declarations
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/command-center check
	COMMAND_CENTER_CONFIG=config/demo $(BIN)/command-center check
	@for folder in config/examples/*/; do COMMAND_CENTER_CONFIG=$$folder $(BIN)/command-center check || exit 1; done

bench: .venv/ready-test assets  ## the budgets of the README's table, as ratios in one run
	@tests/packages.sh
	$(BIN)/python -m tests.bench $(ARGS)

pictures: .venv/ready-test assets  ## screenshots of the demo's wall into docs/pictures
	@tests/packages.sh
	$(BIN)/python -m tests.pictures

lock:  ## resolve the locks anew (needs uv): hashes, no index addresses
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra build pyproject.toml -o requirements.lock
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra build --extra test -c requirements.lock pyproject.toml -o requirements-test.lock

clean:  ## stores and environment away
	rm -rf .venv var build *.egg-info
