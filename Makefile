# `make up` and `make test` are the two commands. Each target names the tool that does the work;
# what needs thought lives in config/local.
PYTHON ?= python3
BIN := .venv/bin
LOCAL := $(BIN)/python -m config.local
RUN := $(LOCAL) run --services postgres,redis
# One more than there are processors: some tests wait for processes that they killed.
PYTEST := $(BIN)/python -m pytest -n $$(($$(nproc) + 1)) --dist loadfile --no-loadscope-reorder
LOCK := .plaza/boot/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header \
	--python-version 3.11 pyproject.toml
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := up
.PHONY: up test test-system test-pages lint format bench drills reset lock setup

up: setup  ## set up and run everything until Ctrl-C
	@exec $(LOCAL) up

test: setup  ## set up and run the tests on the embedded servers
	@exec $(RUN) -- $(PYTEST) $(ARGS)

test-system: setup  ## the same tests on Debian's PostgreSQL 15 and Redis 7
	@$(PYTHON) -m config.local.debian
	@exec $(RUN) --postgres-bin /usr/lib/postgresql/15/bin --redis-bin /usr/bin/redis-server \
		-- env PLAZA_SYSTEM_SERVERS=1 $(PYTEST) $(ARGS)

test-pages: setup  ## the pages in a real browser: journeys, accessibility, weight, nothing from elsewhere
	@$(PYTHON) -m config.local.debian browser
	@exec $(RUN) -- env PLAZA_PAGES=1 $(BIN)/python -m pytest tests/pages $(ARGS)

lint: setup  ## every check that is no test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(RUN) -- $(BIN)/mypy .
	$(BIN)/lint-imports
	$(RUN) -- $(BIN)/python manage.py makemigrations --check --dry-run
	$(RUN) -- env PLAZA_ENV=production ISSUERS_FILE=tests/data/issuers.toml $(BIN)/python manage.py check --deploy --fail-level WARNING

format: setup  ## what the linter can mend by itself
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup  ## the benchmarks, as a table
	@exec $(RUN) -- $(BIN)/python -m tests.bench $(ARGS)

drills: setup  ## attacks, races and kills, in full; ARGS="sqlwall --seed 7" for one
	@exec $(RUN) -- $(BIN)/python -m tests.drills $(or $(ARGS),sqlwall interleave isolation provisioning offboard clock killmoney previews webhooks reconcile grants policy noisy web worker campaign redis postgres)

reset: setup  ## forget all data; programs stay
	@$(LOCAL) reset

lock: setup  ## pin what pyproject.toml asks for, with hashes
	$(LOCK) --output-file requirements.lock
	$(LOCK) --extra embedded --extra dev --output-file requirements-dev.lock

setup:
	@$(PYTHON) -m config.local.install
