# GNU make 4, a POSIX shell and Python 3.11 or later are all that has to be there.
VENV := .venv
PY := $(VENV)/bin/python
PIPENV := .venv-pipenv/bin/pipenv
TEST_PROCESSES ?= auto
CLIENTS := tests/generated_clients

export PYTHONUNBUFFERED := 1
export PIPENV_VENV_IN_PROJECT := 1
export PIPENV_IGNORE_VIRTUALENVS := 1
export PIPENV_NOSPIN := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run install serve worker backup restore stripe test fuzz clients audit faults bench lint lint-style lint-types lint-imports lint-django lint-migrations cluster load

help: ## this list
	@awk -F ':[^#]*## ' '/^[a-z][a-z -]*:[^#]*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.installed .env ## everything for a trial: database, demo, server and worker (PORT=8000)
	@exec $(PY) -m core.server.run

install: $(VENV)/.installed ## the dependencies into .venv

serve: $(VENV)/.installed ## the production server alone (PORT, WORKERS); it migrates nothing
	@exec $(PY) -m core.server.serve

worker: $(VENV)/.installed ## the background worker: mails, renditions, upkeep
	@exec $(PY) manage.py work

backup restore: $(VENV)/.installed ## database and files into a folder, and back (DIR=/var/backups/music)
	@$(if $(DIR),,echo "Name the folder: make $@ DIR=/var/backups/music" >&2; exit 2)
	@$(PY) manage.py $@ "$(DIR)"

stripe: $(VENV)/.installed-dev ## a stand-in for Stripe, to try paying without an account
	@exec $(PY) -m demo.stripe.server --port 12111 --webhook http://127.0.0.1:$(or $(PORT),8000)/api/stripe/webhook

cluster: $(VENV)/.installed-dev ## two of each process under load, one of each killed (CLIENTS, DURATION)
	@$(PY) -m tests.cluster kill --clients $(or $(CLIENTS),16) --seconds $(or $(DURATION),40)

load: $(VENV)/.installed-dev ## two servers under many clients: times, statuses, memory (CLIENTS, DURATION)
	@$(PY) -m tests.cluster load --clients $(or $(CLIENTS),64) --seconds $(or $(DURATION),60)

# 77: there is no PostgreSQL here. A developer may go on without it, CI may not.
test: $(VENV)/.installed-dev ## all tests, on SQLite and on PostgreSQL
	@unset DATABASE_URL; sqlite=passed; postgres=passed; \
	echo "Tests on SQLite"; \
	$(PY) -m pytest -n $(TEST_PROCESSES) || sqlite=FAILED; \
	echo "Tests on PostgreSQL"; \
	$(PY) tests/with_postgres.py -- $(PY) -m pytest -n $(TEST_PROCESSES) || \
	case $$? in 77) postgres="NOT TESTED (install postgresql)";; *) postgres=FAILED;; esac; \
	echo; echo "SQLite: $$sqlite"; echo "PostgreSQL: $$postgres"; \
	case "$$CI $$sqlite $$postgres" in *FAILED*|true*NOT*) exit 1;; esac

audit: $(VENV)/.installed-dev ## known vulnerabilities of the dependencies
	@exec $(PY) -m tests.audit_lock

fuzz: $(VENV)/.installed-dev ## schemathesis: made-up requests to every endpoint of the published document
	@unset DATABASE_URL; $(PY) -m pytest -n $(TEST_PROCESSES) tests/routes/published_document.py
	@$(PY) tests/with_postgres.py -- $(PY) -m pytest -n $(TEST_PROCESSES) tests/routes/published_document.py || \
	case "$$? $$CI" in "77 ") echo "PostgreSQL: NOT TESTED (install postgresql)";; *) exit 1;; esac

# 77: there is no Node here. A developer may go on without it, CI may not.
clients: $(VENV)/.installed-dev .venv-clients/.installed $(CLIENTS)/typescript/node_modules/.installed ## API clients generated from the document, compiled and used
	@$(PY) -m tests.generated_clients || \
	case "$$? $$CI" in "77 ") echo "Clients: NOT TESTED (install nodejs and npm)";; *) exit 1;; esac

.venv-clients/.installed: $(CLIENTS)/python/requirements.txt | $(VENV)/.installed-dev
	@echo "Installing the generator of Python clients into .venv-clients (about 20 seconds)"
	@$(PY) -m venv --clear .venv-clients
	@.venv-clients/bin/pip install -r $< > .venv-clients/log 2>&1 || { cat .venv-clients/log >&2; exit 1; }
	@touch $@

$(CLIENTS)/typescript/node_modules/.installed: $(CLIENTS)/typescript/package-lock.json
	@mkdir -p $(@D)
	@if command -v npm >/dev/null; then echo "Installing the generator of TypeScript clients (about 20 seconds)"; \
	cd $(CLIENTS)/typescript && npm ci --silent && touch node_modules/.installed; fi

faults: $(VENV)/.installed-dev ## fault scripts: kills, full disks, outages (QUICK=1: a short round)
	@$(PY) -m tests.faults $(if $(QUICK),--quick)

bench: $(VENV)/.installed-dev ## speed on up to a million songs (QUICK=1: the smallest)
	@$(PY) -m benchmarks $(if $(QUICK),--sizes 10000 --rounds 1 --seconds 2,--write docs/benchmarks.md)

lint: $(VENV)/.installed-dev ## every static check
	@$(MAKE) --no-print-directory -j 2 -k -O lint-types lint-django lint-migrations lint-style lint-imports && echo "lint: all good"

# The deployment check and the type checker read the settings as in production.
lint-types lint-django lint-migrations: export DEBUG := off
lint-types lint-django lint-migrations: export HTTPS := on
lint-types lint-django lint-migrations: export ALLOWED_HOSTS := music.example
lint-types lint-django lint-migrations: export EMAIL_URL := smtp://mail.example:25
lint-types lint-django lint-migrations: export PUBLIC_URL := https://music.example
lint-types lint-django lint-migrations: export SECRET_KEY := for-the-checks-only-yet-as-long-and-mixed-as-a-real-one-0123456789

lint-style:
	@$(PY) -m ruff check --quiet
	@$(PY) -m ruff format --check --quiet || { $(PY) -m ruff format --diff; exit 1; }

lint-types:
	@$(PY) -m mypy

lint-imports:
	@$(VENV)/bin/lint-imports --no-logo || { $(VENV)/bin/lint-imports; exit 1; }

lint-django:
	@$(PY) manage.py makemigrations --check --dry-run
	@$(PY) manage.py check --deploy --fail-level WARNING

# 77: there is no PostgreSQL here, whose SQL is judged. A developer may go on without it, CI may not.
lint-migrations:
	@$(PY) tests/with_postgres.py -- $(PY) -m tests.lint_migrations || \
	case "$$? $$CI" in "77 true") exit 1;; 77*) ;; *) exit 1;; esac

.env:
	@umask 077; $(PY) -c 'import secrets; print("DEBUG=on\nSECRET_KEY=" + secrets.token_urlsafe(50))' > $@

$(PIPENV):
	@for python in python3.11 python3 python3.12 python3.13 python3.14 none; do \
	$$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; done; \
	if [ $$python = none ]; then \
	echo "Python 3.11 with venv is needed: apt-get install python3.11 python3.11-venv" >&2; exit 1; fi; \
	echo "Installing pipenv into .venv-pipenv (about 10 seconds)"; \
	$$python -m venv --clear .venv-pipenv && \
	{ .venv-pipenv/bin/pip install pipenv > .venv-pipenv/log 2>&1 || { cat .venv-pipenv/log >&2; exit 1; }; }

# Given a .venv, pipenv uses it, whichever Python from 3.11 on it was made with. The log is shown only after a failure.
define sync
@test -x $(PY) || .venv-pipenv/bin/python -m venv $(VENV)
@$(PIPENV) sync $(1) > .venv-pipenv/log 2>&1 || { cat .venv-pipenv/log >&2; exit 1; }
endef

$(VENV)/.installed: Pipfile.lock | $(PIPENV)
	@echo "Installing the dependencies into .venv (about 20 seconds)"
	$(call sync)
	@touch $@

$(VENV)/.installed-dev: Pipfile.lock | $(PIPENV)
	@echo "Installing the dependencies and the tools for tests into .venv (about 30 seconds)"
	$(call sync,--dev)
	@touch $(VENV)/.installed $@
