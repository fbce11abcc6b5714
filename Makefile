# Five commands, the same for people and for CI. Python 3.11 or newer is all they need.
ENV ?= .venv
PYTHON ?= python3
JOBS ?= 2
PATIENTS ?=
NAME ?=
KEEP ?=

python := $(ENV)/bin/python

.PHONY: run test demo check bench build lock

# `exec`, so that a signal to make reaches the supervisor and no shell stands between.
run: $(ENV)/.run
	@exec env ATTUNE_MODE=sample $(python) -m deploy.run

test: $(ENV)/.dev
	@$(python) -m deploy.build
	@$(python) -m pytest -n $(JOBS) -q

demo: $(ENV)/.run
	@ATTUNE_MODE=sample $(python) -m deploy.demo $(PATIENTS)

check: $(ENV)/.dev
	@$(python) -m deploy.check

bench: $(ENV)/.run
	@ATTUNE_MODE=test $(python) -m benchmarks $(NAME) $(if $(KEEP),--keep $(KEEP))

build: $(ENV)/.run
	@$(python) -m deploy.build --always

$(ENV)/.run: requirements/run.txt
	@$(PYTHON) deploy/bootstrap.py $(ENV) run

$(ENV)/.dev: requirements/dev.txt
	@$(PYTHON) deploy/bootstrap.py $(ENV) dev

# uv.lock names the registry's host on every line, so only its export is kept.
lock:
	uv lock --upgrade
	uv export -q --no-dev --no-emit-project --no-header --format requirements-txt -o requirements/run.txt
	uv export -q --only-group frontend --no-emit-project --no-header --format requirements-txt -o requirements/frontend.txt
	uv export -q --all-groups --no-emit-project --no-header --format requirements-txt -o requirements/dev.txt
	rm uv.lock
