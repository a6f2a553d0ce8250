# `make` lists what there is. Everything happens in .venv, which is made when it is first needed.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
ARGS ?=
EXTENT ?= full
PARALLEL ?= auto

.DEFAULT_GOAL := help
.PHONY: help run test coverage test-browser screenshots torture torture-here mutants bench check audit clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 19

run: $(INSTALLED) .env ## web, worker, beat and a broker on this machine; Ctrl-C ends them
	@exec $(BIN)/python manage.py launch $(ARGS)

test: $(INSTALLED) ## the tests, in a process for each core, or PARALLEL=1; ARGS="campaigns.tests.project.test_settings -v 2" picks some
	@$(BIN)/python manage.py test --noinput --parallel $(PARALLEL) $(ARGS)

coverage: $(INSTALLED) ## the tests, and how much of the code they run (.coveragerc); CONTRIBUTING.md has the figure
	@$(BIN)/coverage erase
	@$(BIN)/coverage run manage.py test --noinput --parallel $(PARALLEL) $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

test-browser: $(INSTALLED) ## the stories of people who use the admin, in headless Chromium; installs Debian's if none is there
	@.ci/chromium $(BIN)/python manage.py test --noinput --pattern "browser_*.py" $(ARGS)

screenshots: $(INSTALLED) ## pictures of every page, light, dark and on a phone, in .screenshots; the best in docs/images
	@.ci/chromium $(BIN)/python manage.py test --noinput --pattern "screenshots.py"

torture torture-here: export EXTENT := $(EXTENT)
torture: $(INSTALLED) ## what takes minutes: kills, crowds, garbage, random worlds, on SQLite and PostgreSQL; EXTENT=short
	@DATABASE_URL= $(MAKE) --no-print-directory torture-here
	@.ci/postgresql $(MAKE) --no-print-directory torture-here

torture-here: $(INSTALLED)
	@$(BIN)/python manage.py test --noinput --pattern "torture_*.py" $(ARGS)

# Nothing else needs cosmic-ray and what it brings along, so it isn't among the requirements.
mutants: $(INSTALLED) ## small changes of the services that no test notices, takes half an hour; ARGS="money.py" picks files
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check cosmic-ray==8.7.0
	PYTHON=$(BIN)/python .ci/mutants $(ARGS)

# A key of its own, because neither .env nor what it names is any of its business.
bench: $(INSTALLED) ## what the work costs at size, two hours, writes docs/performance.md; ARGS=--quick takes a few minutes
	@SECRET_KEY=$$($(BIN)/python -c "import secrets; print(secrets.token_urlsafe(50))") DEBUG=False \
		.ci/postgresql $(BIN)/python -m benchmarks $(ARGS)

# The last line looks at the settings as they are in production.
check: $(INSTALLED) ## lint, format, types, migrations and the settings of a deployment
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy .
	@echo "manage.py makemigrations --check --dry-run"
	@DEBUG=True DATABASE_URL=sqlite:///.venv/check.sqlite3 $(BIN)/python manage.py makemigrations --check --dry-run
	@echo "manage.py check --deploy"
	@DEBUG=False SECRET_KEY=$$($(BIN)/python -c "import secrets; print(secrets.token_urlsafe(50))") \
		SECURE_SSL_REDIRECT=True ALLOWED_HOSTS=budget.example.com \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

audit: $(INSTALLED) ## asks public lists for known vulnerabilities of what is installed; needs the network
	@.ci/audit

clean: ## removes .venv, caches and collected static files; keeps .env and the database
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis .bench .coverage .coverage.* staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Python brings a pip of its own age along, before 3.12 also a setuptools, and public lists know their vulnerabilities;
# nothing here needs a setuptools.
$(INSTALLED): requirements.txt requirements-production.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is missing or older than Python 3.11: install a newer one, or name it: make PYTHON=python3.12" >&2; \
		exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "$(PYTHON) can't make a virtual environment: install its venv package (Debian: python3-venv)." >&2; \
		exit 1; }
	@echo "Installing requirements.txt into .venv, which takes a minute or two …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(BIN)/python -m pip uninstall -qq --yes setuptools
	@$(BIN)/python .ci/install.py --requirement requirements.txt
	@touch $@

.env:
	@umask 077 && key=$$($(PYTHON) -c "import secrets; print(secrets.token_urlsafe(50))") && \
		sed -e "s/^SECRET_KEY=.*/SECRET_KEY=$$key/" -e "s/^DEBUG=.*/DEBUG=True/" .env.example > .env.new && \
		mv .env.new .env
	@echo "Made .env, with a SECRET_KEY of its own and DEBUG=True."
