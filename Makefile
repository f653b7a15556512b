.PHONY: help up down serve test bench soak fuzz lint format openapi lock

help:  ## Show this list
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/'

up:  ## Set everything up, start the service in the background, run a first job
	@scripts/bootstrap && .venv/bin/python manage.py up

down:  ## Stop what `make up` started
	@scripts/bootstrap && .venv/bin/python manage.py down

serve:  ## Serve in the foreground
	@scripts/bootstrap && exec .venv/bin/python manage.py serve

test:  ## Set everything up, run every check and every test
	@scripts/bootstrap dev && .venv/bin/python scripts/check.py

bench:  ## Measure what the service promises of its speed beside its baselines; writes docs/benchmarks.md
	@scripts/bootstrap dev && .venv/bin/python -m benchmarks --write docs

soak:  ## Kill dispatchers, engine and database during 200 jobs, on both databases; prints the counts
	@scripts/bootstrap dev && PURSER_SOAK_JOBS=200 .venv/bin/python -m pytest -s -p no:cacheprovider --timeout 3600 tests/faults/test_a_soak.py

fuzz:  ## Ask a live service 20,000 things that the contract allows or forbids
	@scripts/bootstrap dev && .venv/bin/python -m tests.fuzz.run

lint:  ## Run the static checks only
	@scripts/bootstrap dev && .venv/bin/python scripts/check.py static

format:  ## Format the code
	@scripts/bootstrap dev && .venv/bin/ruff format -q . && .venv/bin/ruff check -q --fix .

openapi:  ## Write openapi.yaml, purser/api_client and docs/configuration.md anew
	@scripts/bootstrap dev && scripts/generate

lock:  ## Choose the versions of all dependencies anew
	@scripts/bootstrap dev && scripts/lock
