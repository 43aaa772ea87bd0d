# 印信 Yinxin. `make help` lists the targets. Everything is set up on first use in .venv.
.POSIX:
.SUFFIXES:
PYTHON = python3
VENV = .venv
BIN = $(VENV)/bin

.PHONY: help demo test serve bench attacks fuzz screenshots audit check lint types lock clean

help:  ## show this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -e 's/:.*##/\t/' | expand -t 10

$(VENV)/ready: requirements.lock pyproject.toml
	@echo "== setting up $(VENV) (once; about a minute)"
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, found " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/ready-dev: requirements-dev.lock $(VENV)/ready
	@echo "== adding the test tools"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

KEYS = software
demo: $(VENV)/ready  ## run the main job end to end on the embedded defaults; KEYS=softhsm: private keys in a SoftHSM token
	$(BIN)/yinxin demo --keys $(KEYS)

serve: $(VENV)/ready  ## start the server on loopback and keep it up
	$(BIN)/yinxin serve

attacks: $(VENV)/ready-dev  ## make and judge every attack file and every honest one; print the table
	$(BIN)/python tests/attacks --peers

SECONDS = 1800
fuzz: $(VENV)/ready-dev  ## change sealed files at random and judge them, for SECONDS
	$(BIN)/python tests/attacks/fuzz.py $(SECONDS)

audit: $(VENV)/ready  ## walk the whole record and name the first broken line
	$(BIN)/yinxin audit

test: $(VENV)/ready-dev  ## run all tests
	$(BIN)/python -m pytest -n 2

bench: $(VENV)/ready-dev  ## print the figures, measured side by side with a peer
	$(BIN)/python -m benchmarks

screenshots: $(VENV)/ready-dev  ## picture every page in a real browser (needs Chromium)
	$(BIN)/python scripts/screenshots.py screenshots

check: lint types  ## lint and type checks

lint: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/ready-dev
	$(BIN)/mypy

lock:  ## make the requirements locks anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q pyproject.toml --extra build -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q pyproject.toml --extra build --extra dev -c requirements.lock -o requirements-dev.lock

clean:  ## remove the environment and everything the demo wrote
	rm -rf $(VENV) demo-output data bench-output screenshots
