# The project's verbs. Whatever they need is installed into .venv, in the versions of constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
SHARED := ../shared/conformance
# A file of tests at a time in each of two processes. `ARGS=-n0` is for a debugger, and for new snapshots.
IN_PARALLEL := -n 2 --dist loadfile
# The tests that reach the modules of which every branch has a test. Fleets and faults are slower when measured.
COVERED := tests/pure tests/pricing tests/calls tests/commands tests/agent_sdk tests/dashboards \
	tests/doctor/test_doctor_command.py tests/test_content.py \
	$(filter-out %/test_fleets.py %/test_faults_of_agents.py,$(wildcard tests/agents/test_*.py tests/budgets/test_*.py))

.PHONY: help demo test lint format coverage matrix agentsdk frameworks backends deployment conformance bench benchcap benchbudgets docs clean

help:            ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /	/'

demo: .venv/ready  ## a Claude application under opentelemetry-instrument, drawn in the terminal
	$(BIN)/python examples/demo.py $(ARGS)

test: .venv/ready $(if $(COVERAGE),coverage)  ## the tests, and the first of them on two old SDKs; COVERAGE=1 measures
	$(BIN)/python -m pytest $(IN_PARALLEL) $(if $(COVERAGE),$(addprefix --ignore=,$(COVERED))) $(ARGS)
	$(BIN)/python tests/matrix.py --fast

lint: .venv/ready  ## style, types, and references in docs/ that are not current
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/python docs/generate.py --check

format: .venv/ready  ## the style, put right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

coverage: .venv/ready  ## branches of the pure modules that no test reaches
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q $(IN_PARALLEL) $(COVERED)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

matrix: .venv/ready  ## the tests of calls, agents and lifecycle on every SDK generation; ARGS=--slice is faster
	$(BIN)/python tests/matrix.py $(ARGS)

agentsdk: .venv/ready  ## the tests of the Claude Agent SDK, with its CLI; ARGS="--only newest" tries a new one
	$(BIN)/python tests/matrix.py --agent-sdk $(ARGS)

frameworks: .venv/ready  ## frameworks that call Claude, each in an environment of its own
	$(BIN)/python tests/frameworks/run.py $(ARGS)

backends: .venv/ready  ## programs against real backends, each in an environment of its own; ARGS=--slice has the quick ones
	$(BIN)/python tests/backends/run.py $(ARGS)

deployment: .venv/ready  ## programs behind gunicorn, uvicorn, celery, Lambda and the like; ARGS=--slice has the quick ones
	$(BIN)/python tests/deployment/run.py $(ARGS)

conformance: .venv/ready  ## recorded traffic of the real API against an independent oracle, where it is at hand
	$(BIN)/python tests/matrix.py --conformance $(SHARED) $(ARGS)

bench: .venv/ready  ## what tracing costs, beside the published peers
	$(BIN)/python benchmarks/run.py $(ARGS)

benchcap: .venv/ready  ## what the span cap costs a span
	$(BIN)/python benchmarks/span_cap.py $(ARGS)

benchbudgets: .venv/ready  ## what budgets cost a call, with each ledger
	$(BIN)/python benchmarks/budgets.py

docs: .venv/ready  ## the generated references in docs/, made anew
	$(BIN)/python docs/generate.py

clean:           ## everything that the verbs have made
	rm -rf .venv .venvs .pytest_cache .ruff_cache .hypothesis .coverage

.venv/ready: pyproject.toml constraints.txt src/otel_claude_command.py
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . --group test --group schemas --group lint
	touch $@
