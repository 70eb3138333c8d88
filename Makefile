# Every command of this repository; plain `make` lists them.
SHELL := bash
.DEFAULT_GOAL := help
.NOTPARALLEL: # two builds at once only slow each other down
compose := compose/host/compose

## Run it
up: build ## build and start everything, wait until it is healthy, print addresses and login
	compose/host/up
# these three reach what dev adds as well
dev down ps logs: export COMPOSE_FILE := compose/stack.yaml:compose/mail.yaml:compose/dev.yaml
dev: up ## as up, with the source mounted, reload on change and a mail catcher
down: ## stop everything; data stays
	$(compose) down
ps: ## show the services and their health
	$(compose) ps --all
logs: ## follow the logs; only=web for one service
	$(compose) logs --follow --tail 100 $(only)
backup: ## write all that must not be lost into backups/<UTC time>, while the stack works; to=folder for elsewhere
	@compose/host/backup $(if $(to),'$(to)')
restore: ## put the stack back to a backup: make restore from=backups/<UTC time>
	@compose/host/restore '$(from)'
upgrade: env ## back up, build, migrate, and roll what runs without losing a job; backup=no build=no for less
	@compose/host/upgrade '$(backup)' '$(build)'
doctor: ## look whether all is well, and say what to do where it is not
	@$(compose) exec $(if $(NO_COLOR),--env NO_COLOR=1) web python manage.py doctor
clean: ## remove this project's containers, volumes (all data) and images
	compose/host/clean

## Prepare (up and test call these themselves)
engine: ## find, start or install the Docker engine
	compose/host/engine
bases: engine ## choose or make the base images
	compose/host/bases
env: bases ## write .env with new secrets, if there is none
	compose/host/env
build: env ## build every image
	$(compose) build

## Work on it
app: ## make an app of your own, a copy of apps/arithmetic: make app name=billing
	compose/host/new-app '$(name)'
format: runner ## put Python into shape and mend what ruff can
	compose/host/check --writable bash -c 'ruff check --no-cache --fix --quiet; ruff format --no-cache'
shell: ## Django's shell in the running web container
	$(compose) exec web python manage.py shell
migrations: runner ## write the migrations that changed models need
	compose/host/check --with-services --writable python src/manage.py makemigrations
	$(MAKE) format
topology: runner ## write what config/queues.py declares: RabbitMQ's definitions, Compose, Kubernetes, KEDA
	compose/host/check --writable python src/manage.py topology services/rabbitmq/definitions --repository .
lock: runner ## pin what requirements/*.in ask for; upgrade=1 for the newest allowed versions
	compose/host/lock $(if $(upgrade),--upgrade)

## Check it
test: check test/integration test/chaos/sample test/browser ## everything
check: check/lint check/types check/unit ## all that is quick
check/lint: runner ## style of Python, shell, Dockerfiles and YAML, import layers
	compose/host/check tests/check/lint
check/types: runner ## types
	compose/host/check mypy
check/unit: runner ## unit tests and checks of this repository; only=pattern for some
	$(compose) build postgres rabbitmq
	compose/host/check --with-services pytest src tests/check benchmarks $(if $(only),-k '$(only)')
test/integration: export WITH_OVERLAYS := observability
test/integration: build runner ## the whole stack, from the built images; only=pattern for some
	$(compose) --file compose/stack.yaml --file compose/observability.yaml build prometheus postgres-exporter
	compose/host/test-integration '$(only)'
test/browser: build browser ## the dashboard in a real browser, against the whole stack; only=pattern for some
	compose/host/test-browser '$(only)'
screenshots: test/browser ## as test/browser; puts the README's screenshots into docs/images
	mkdir -p docs/images && cp reports/screenshots/readme-*.png docs/images/
bench: build runner ## speed against other set-ups; only=warren,floor work=drain rounds=1 quick=1 for less
	benchmarks/run --only '$(only)' --work '$(work)' $(if $(rounds),--rounds $(rounds)) $(if $(quick),--quick)
bench/profile: build runner ## where the processes spend their CPU time; jobs=20000 for longer
	benchmarks/run profile $(if $(jobs),--count $(jobs))
bench/streams: build runner ## what 1000 open live streams cost web, and how late they hear; streams=200 for fewer
	benchmarks/run streams $(if $(streams),--streams $(streams))
test/chaos: build runner ## kill, cut off and wipe every part while jobs run: is one lost? only=pattern for some; stacks=2 at once
	compose/host/test-chaos $(or $(stacks),2) tests/chaos $(if $(only),-k '$(only)')
test/chaos/sample: build runner ## one fault of each class, with small ledgers
	compose/host/test-chaos $(or $(stacks),2) tests/chaos --small -m ci
soak: build runner ## random faults for minutes=10; seed=n for the same again
	compose/host/test-chaos 0 tests/chaos/soak.py $(if $(minutes),--minutes $(minutes)) $(if $(seed),--seed $(seed))
bench/pages: build runner ## how long the server takes for each page of the dashboard, with 100 000 jobs
	benchmarks/run pages

## Kubernetes (k8s/README.md)
k8s/dev: build runner ## all of it in a cluster on this machine: kind, k3d, minikube
	k8s/host/dev
k8s/verify: build runner ## prove it there: jobs through the Service while every role is rolled; context=NAME to=registry/path elsewhere
	k8s/host/verify '$(context)' '$(to)'
k8s/pin: build ## push the images and pin them by digest in the production overlay: to=registry/path
	$(compose) --file compose/stack.yaml --file compose/observability.yaml build postgres-exporter
	k8s/host/pin '$(to)'
k8s/pin/stores: ## pin the images that the operators run: postgres=name:tag rabbitmq=name:tag
	k8s/host/pin-stores '$(postgres)' '$(rabbitmq)'
k8s/release: ## migrate and roll what kubectl points at: overlay=k8s/overlays/production
	k8s/host/release '$(or $(overlay),k8s/overlays/production)'

runner: env
	$(compose) --file compose/check.yaml build runner redis
browser: runner
	$(compose) --file compose/check.yaml --profile browser build browser

help:
	@sed -nE 's/^## (.*)/\n\1/p; s/^([a-z0-9/]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 26
.PHONY: $(shell sed -nE 's/^([a-z0-9/]+):.*/\1/p' Makefile)
