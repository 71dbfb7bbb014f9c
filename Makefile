# `make demo` and `make test` do all their own set-up in .venv; Python 3.11 or newer is enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

export OMP_NUM_THREADS ?= 1
export PIP_NO_INPUT = 1

.PHONY: demo test check slow bench clean help

help:
	@echo "make demo   run a whole campaign on the simulated laboratory, under Prefect"
	@echo "make test   lint, types, import contracts and all fast tests"
	@echo "make slow   the tests that take longer"
	@echo "make bench  the benchmarks behind the numbers in the README (an hour or two)"
	@echo "make clean  remove .venv"

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "sdlab needs Python 3.11 or newer; found $$($(PYTHON) --version). Try make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# PyTorch first and by itself, so that the pinned build is there before anything asks for torch.
$(VENV)/.runtime: $(VENV)/.python pyproject.toml constraints.txt
	@echo "Installing sdlab into $(VENV), once; this takes a few minutes."
	$(PIP) install --quiet "setuptools>=77" wheel
	$(PIP) install --quiet -c constraints.txt torch
	$(PIP) install --quiet -c constraints.txt -e .
	@touch $@

$(VENV)/.test: $(VENV)/.runtime
	$(PIP) install --quiet -c constraints.txt -e ".[test]"
	@touch $@

demo: $(VENV)/.runtime
	$(BIN)/sdlab run tio2

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile

slow: $(VENV)/.test
	$(BIN)/python -m pytest -m slow

bench: $(VENV)/.test
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV)
