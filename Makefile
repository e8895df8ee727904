# Everything a newcomer, a developer and CI call. Needs Python >= 3.11 and make; the rest is installed into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check

# TensorFlow logs its start to the terminal otherwise.
export TF_CPP_MIN_LOG_LEVEL ?= 3

.NOTPARALLEL:
.PHONY: demo test test-slow contract faults fuzz mutation lint types bench clean

demo: $(VENV)/.installed-demo  ## forecast electricity demand and draw it
	$(BIN)/tsrnn demo energy

test: $(VENV)/.installed-dev  ## the tests, two files at a time, with branch coverage and its bar
	$(BIN)/python -m pytest -m "not slow" --numprocesses 2 --dist loadfile --cov --cov-report=term-missing:skip-covered

test-slow: $(VENV)/.installed-dev  ## what takes long: tasks to be learnt, exports, whole suites of checks, notebooks
	$(BIN)/python -m pytest -m slow --numprocesses 2 --dist load

contract: $(VENV)/.installed-dev  ## every check of scikit-learn on every kind of estimator, and a table of what ran
	$(BIN)/python tests/contract.py

faults: $(VENV)/.installed-dev  ## bad input and faults, row by row, the slow ones as well; a row that is not covered fails
	$(BIN)/python -m pytest --rows --numprocesses 2 --dist loadfile

fuzz: $(VENV)/.installed-dev  ## a million changed files are loaded; some twenty minutes
	$(BIN)/python tests/fuzz.py --count 1000000 --jobs 2

mutation: $(VENV)/.installed-dev  ## how many mutants of windows, splits and saved files the tests notice: 90 % at least
	$(BIN)/python tests/mutation.py

lint: $(VENV)/.installed-dev  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev  ## mypy
	$(BIN)/mypy

bench: $(VENV)/.installed-dev  ## the measurements
	$(BIN)/python -m benchmarks

clean:  ## caches and built files; the environment stays
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
	find tsrnn tests -type d -name __pycache__ -prune -exec rm -rf {} +

# Both install the checkout in editable form, so that either may come first; dev holds all that the demo needs.
$(VENV)/.installed-demo: pyproject.toml | $(BIN)/pip
	$(PIP_INSTALL) --editable ".[plot]"
	touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/pip
	$(PIP_INSTALL) --editable ".[dev]"
	touch $(VENV)/.installed-demo $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "tsrnn needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Name another one: make PYTHON=/path/to/python3.11" >&2; \
		exit 1; }
	$(PYTHON) -m venv $(VENV)
