# `make demo` and `make test` are all that a fresh clone needs: Python >= 3.11, make, and a registry of Python packages.
# Everything is installed into this folder: .venv/ holds the packages, .uv/ holds uv where the machine has none.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)

.PHONY: demo test lint bench lock clean

demo: $(INSTALLED)  ## draw scenes, train for some minutes, generate, publish, verify
	$(BIN)/seg2real demo

test: $(INSTALLED)  ## all tests, on the CPU, without a network
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses logical --dist loadfile

lint: $(INSTALLED)  ## style of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(INSTALLED)  ## speed beside the usual ways, in twenty minutes
	$(BIN)/seg2real bench

lock: $(UV)  ## resolve the dependencies anew
	$(UV) pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes \
		--no-emit-index-url --no-annotate --no-header pyproject.toml --output-file requirements.lock

clean:  ## remove what make installed; runs/ and output/ stay
	rm -rf $(VENV) .uv

$(INSTALLED): requirements.lock pyproject.toml | $(UV)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/pip install --quiet uv
