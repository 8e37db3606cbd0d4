# Two commands do all the set-up: `make run` and `make test`. Whatever they need goes into .venv.
BIN := .venv/bin
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c '$(SUPPORTED)' 2>/dev/null && echo "$$python" && break; done)

# hundreds of processes that tests start find their bytecode made
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test lint bench clean

run: .venv/.installed
	$(BIN)/nightowl demo

test: .venv/.installed
	tests/install_servers
	$(BIN)/python -m compileall -q nightowl instrument
	$(BIN)/pytest -n auto --maxprocesses 4 --dist worksteal

lint: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.installed
	$(BIN)/python -m benchmarks

.venv/.installed: pyproject.toml instrument/pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "NightOwl needs Python 3.11 to 3.14, and none was found." \
		"Install one, or name it: make PYTHON=/path/to/python3.13" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/install_venv $(PYTHON)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--editable '.[test,lint]' --editable ./instrument
	@touch $@

clean:
	rm -rf .venv build *.egg-info
