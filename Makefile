# Two commands: `make demo` shows the whole path, `make test` checks it. Both set up once.
JOBS   ?= 2
VENV   ?= .venv
PLAIN  ?= .venv-plain
PYTHON ?= $(firstword $(foreach name,python3 python3.11 python3.12 python3.13,\
            $(shell $(name) -c 'import sys; sys.version_info >= (3, 11) and print("$(name)")' 2>/dev/null)))
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PIP    := -m pip install --disable-pip-version-check -c constraints.txt

.PHONY: demo test lint setup install-plain
.DEFAULT_GOAL := demo

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Crosscut needs Python 3.11 or newer; name one with PYTHON=..."; exit 2; }
	@echo "Setting up in $(VENV) with $(PYTHON): once, some minutes, most of it torch and Ray"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python $(PIP) -e '.[dev]'
	@touch $(READY)

demo: setup
	$(BIN)/crosscut run quickstart

test: setup
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy benchmarks/*.py

# The package as a user gets it, without the checkout.
install-plain:
	@test -n "$(PYTHON)" || { echo "Crosscut needs Python 3.11 or newer; name one with PYTHON=..."; exit 2; }
	$(PYTHON) -m venv $(PLAIN)
	$(PLAIN)/bin/python $(PIP) .
