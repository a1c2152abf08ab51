PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A file's tests share servers and stay in one process; conftest.py puts the longest files first.
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder
# What drives tools from outside is not among them: `make e2e`, `make spark` and `make kafka`.
ALL_TESTS := $(BIN)/pytest $(PARALLEL) --durations 15 --ignore tests/e2e --ignore tests/spark --ignore tests/kafka
export SAM_CLI_TELEMETRY = 0
# Compile a module once, not in every process, whatever the surroundings say.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help setup demo spark kafka unit test slow-tests coverage mutations faults fuzz check e2e account-check security lock clean

help: ## what can be made
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

setup: $(VENV)/.ready ## the virtual environment with everything in requirements.lock

$(VENV)/.ready: requirements.lock pyproject.toml localaws/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Cutwatch needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.13")'
	@echo "Installing what requirements.lock lists into $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . -e ./localaws -e ./consumer
	@touch $@

demo: setup ## the whole system on generated data, on the embedded local AWS
	@$(BIN)/cutwatch demo

unit: setup ## the pure tests, in seconds: no AWS, no server
	@$(BIN)/pytest -q -n logical tests/unit localaws/tests/unit consumer/tests

test: setup ## all tests but those of e2e, spark and kafka, the slowest listed at the end
	@$(ALL_TESTS)

slow-tests: setup ## the tests over 2 s of processor time that are not marked slow, in the newest run
	@$(BIN)/python -m tests.support.processor_time

coverage: setup ## branch coverage of functions, cli and localaws: build/coverage.json
	@mkdir -p build
	@$(BIN)/coverage run -m pytest -q -n 0 tests/unit tests/integration tests/template localaws/tests
	@$(BIN)/coverage json
	@$(BIN)/coverage report --format total --precision 2

mutations: setup ## 50 seeded mutations of functions/cutwatch, and how many of them the tests kill
	@$(BIN)/python benchmarks/mutations.py --seed 1 --count 50

faults: setup ## every call of trainings, transforms, streams, logs, tables and live detection with every fault: the matrices, and how many cases passed
	@PYTHONPATH=functions:cli:localaws/src:. $(BIN)/python -m tests.faults
	@PYTHONPATH=functions:cli:localaws/src:. $(BIN)/python -m tests.faults.stream_matrix
	@PYTHONPATH=functions:cli:localaws/src:. $(BIN)/python -m tests.faults.kafka_matrix
	@PYTHONPATH=functions:cli:localaws/src:. $(BIN)/python -m tests.faults.table_matrix
	@PYTHONPATH=functions:cli:localaws/src:. $(BIN)/python -m tests.faults.live_matrix

# Not among the development dependencies: it has no wheels for some versions of Python, and none but fuzzing needs it.
fuzz: setup ## hostile detectors.yaml, events, CSV and score files, guided by coverage: SECONDS=60 each, HARNESS=one of them
	@test -d build/atheris || $(BIN)/python -m pip install --quiet --disable-pip-version-check --target build/atheris atheris==3.0.0
	@PYTHONPATH=functions:cli:localaws/src:.:build/atheris $(BIN)/python -m tests.fuzz $(or $(SECONDS),60) $(HARNESS)

# In a virtual environment of its own, with the Spark of Glue 6.0; Java 17 or newer has to be there.
build/spark/.ready:
	@$(PYTHON) -m venv build/spark
	@build/spark/bin/python -m pip install --quiet --disable-pip-version-check pyspark==4.1.1 AWSGlueDataplanePython==5.1.0
	@touch $@

spark: setup build/spark/.ready ## the Glue job in Spark: its rows equal those of the functions
	@$(BIN)/pytest -rs -n 0 tests/spark

# Apache Kafka's own files, as localaws/src/localaws/kafka pins them; Java 17 and Maven have to be there.
build/kafka/.ready: localaws/src/localaws/kafka/pom.xml localaws/src/localaws/kafka/jars.sha256 | setup
	@$(BIN)/python -m localaws.kafka.fetch build/kafka
	@touch $@

kafka: setup build/kafka/.ready ## the stream of a topic with Apache Kafka itself: the consumer, the mapping, the demo
	@$(BIN)/pytest -rs -n 0 tests/kafka

check: setup ## format, lint, types, templates, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/sam validate --lint --region us-east-1
	$(BIN)/sam validate --lint --region us-east-1 --template stacks/monitoring.yaml
	$(BIN)/sam validate --lint --region us-east-1 --template stacks/live.yaml
	$(BIN)/sam validate --lint --region us-east-1 --template stacks/stream.yaml
	$(BIN)/sam validate --lint --region us-east-1 --template stacks/table.yaml
	$(BIN)/sam validate --lint --region us-east-1 --template stacks/table_forest.yaml
	$(BIN)/sam validate --lint --region us-east-1 --template stacks/kafka_stream.yaml
	$(ALL_TESTS)

e2e: setup ## the real tools: SAM CLI, AWS CLI, pip, the documents' commands, Lambda's own runtime, and containers where there is Docker
	@$(BIN)/pytest $(PARALLEL) -rs --durations 15 tests/e2e

account-check: setup ## deploy a throw-away stack to your AWS account, compare it with docs/reality.md, remove it: STACK=name
	@$(BIN)/cutwatch account-check --stack-name "$(STACK)"

# In a virtual environment of its own: checkov pins versions of boto3 and click that the SAM CLI and the local AWS cannot use.
security: ## the templates under a security linter; .checkov.yaml says what is passed over, and why
	@test -x build/checkov/bin/checkov || $(PYTHON) -m venv build/checkov
	@build/checkov/bin/python -m pip install --quiet --disable-pip-version-check checkov==3.3.30
	@build/checkov/bin/checkov --config-file .checkov.yaml

lock: ## resolve requirements.lock anew (needs uv)
	uv pip compile --quiet --universal --upgrade --python-version 3.11 --group dev pyproject.toml localaws/pyproject.toml -o requirements.lock
	printf '%s\n' 'aws-lambda-powertools[tracer]' boto3 annotated-types apachelogs google-re2 jmespath pydantic pyyaml tzdata \
	  | uv pip compile --quiet --no-header --no-annotate --python-version 3.13 -c requirements.lock - -o functions/requirements.txt
	grep -E '^numpy==.*>=' requirements.lock | sed 's/ ;.*//' > layers/numerics/requirements.txt
	grep -E '^krcf==' requirements.lock | sed 's/ ;.*//' > layers/forests/requirements.txt

clean: ## remove everything that was made
	rm -rf $(VENV) .aws-sam build .mypy_cache .ruff_cache .pytest_cache .hypothesis
