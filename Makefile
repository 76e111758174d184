# Everything happens in a virtual environment of its own, .venv, made when it is missing or older than its lists.
# Needs Python 3.11, make and git; Node.js is used if it is there, else a copy of it from PyPI.

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest -rs --numprocesses auto --maxprocesses 4 --dist loadfile
LISTS := requirements.txt requirements-dev.txt pyproject.toml
# the first Python 3.11 that runs and can make environments: a pyenv shim may refuse, Debian's may lack ensurepip
PYTHON ?= $(shell for python in $$(which -a python3.11 python3) $$HOME/.pyenv/versions/3.11.*/bin/python3.11; do \
	$$python -c 'import sys, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo $$python && break; done)

.PHONY: demo run test lint bench fuzz build assets requirements clean

# trains a few small models and shows them while they train
demo: assets
	@$(BIN)/runicorn demo --storage .demo

# the viewer of your own storage root
run: assets
	@$(BIN)/runicorn viewer

# the whole suite, and what touches a database once more on PostgreSQL; TESTS=tests/cli picks a part of it
test: assets lint
	$(PYTEST) $(TESTS)
	RUNICORN_TEST_DATABASE=postgresql $(PYTEST) $(TESTS) || test $$? = 5  # of some parts nothing touches one

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# the figures of docs/design, measured on this machine
bench: assets
	$(BIN)/python -m benchmarks

# 10,000 random requests made from the API's description, and beside it
fuzz: $(INSTALLED)
	RUNICORN_FUZZ_REQUESTS=10000 $(BIN)/python -m pytest tests/contract/test_random_requests.py

# a wheel with the browser libraries inside, in dist/
build: assets
	rm -rf dist
	$(BIN)/python -m build --wheel

# the browser libraries and the compiled messages, which are not committed
assets: $(INSTALLED)
	@$(BIN)/python scripts/build_assets.py

# compile the lists anew from pyproject.toml
requirements: $(INSTALLED)
	$(BIN)/python scripts/lock_requirements.py

clean:
	rm -rf $(VENV) .venv-library-* node_modules runicorn_site/static/vendor dist build

$(INSTALLED): $(LISTS)
	@test -x $(BIN)/python || test -n "$(PYTHON)" || { echo "Python 3.11 with ensurepip was not found; on Debian: apt-get install python3.11-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --upgrade pip
	@$(BIN)/pip install --quiet -r requirements.txt -r requirements-dev.txt
	@node -e 'process.exit(parseInt(process.versions.node) < 20)' 2>/dev/null && command -v npm >/dev/null || \
		$(BIN)/pip install --quiet --group node
	@$(BIN)/pip install --quiet --no-deps --editable .
	@touch $@
