# The stages of the pipelines in .github/workflows and azure-pipelines: what those run is here, so
# that it runs on any machine. docs/ci.md says what each is for.

# Where the stages leave what the next ones, and people, read.
CI_FOLDER := build/ci
# A workspace of their own, apart from that of the one who runs them.
CI_AML := AMLOCAL_HOME=$(CURDIR)/$(CI_FOLDER)/workspace $(AML)
CI_PYTEST := $(VENV)/bin/python -m pytest -n $(TEST_WORKERS) --dist loadfile
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

# Where delivery goes. Unless SEND=yes, what would be sent to Azure is printed.
TARGET ?= azure
SEND ?= no
CD_DRY := $(if $(filter azure-no,$(TARGET)-$(SEND)),--dry-run)
CD_FLAGS := --target $(TARGET) $(CD_DRY)
CD_AML := $(if $(filter local,$(TARGET)),$(CI_AML),$(AML))
# Further settings of the job that is submitted: make cd-submit CD_SET=inputs.estimator=ebm
CD_SET ?=
CD_JOB := $(CD_AML) job create -f jobs/lifecycle.yml $(if $(CD_SET),--set $(CD_SET)) $(CD_FLAGS)

.PHONY: ci ci-lint ci-components ci-data ci-compile ci-claims ci-lifecycle ci-gate ci-report
.PHONY: cd-package cd-submit cd-deploy

ci: ci-lint ci-components ci-data ci-compile ci-claims ci-lifecycle ci-gate ci-report  ## Every stage before delivery, one after another

ci-lint: lint  ## Stage: style, types, and the pipelines' own files
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.azure-pipelines --regex-variant nonunicode azure-pipelines/*.yml
	@if command -v actionlint; then actionlint; else echo "no actionlint here: checked by schema only"; fi

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
	$(CI_AML) job create -f jobs/lifecycle.yml --set $(CI_SAMPLE) --stream --query name -o tsv > $(CI_FOLDER)/job

ci-gate: setup  ## Stage: judge the model of ci-lifecycle by the policy
	$(CI_AML) gate check -f $(CI_POLICY) --job "$$(cat $(CI_FOLDER)/job)" -o table

ci-report: setup  ## Stage: write the report of ci-lifecycle for people
	@rm -rf $(CI_FOLDER)/report $(CI_FOLDER)/downloaded
	$(CI_AML) job download -n "$$(cat $(CI_FOLDER)/job)" --output-name report -p $(CI_FOLDER)/downloaded
	mv $(CI_FOLDER)/downloaded/*/named-outputs/report $(CI_FOLDER)/report

cd-package: setup  ## Stage: register components and environments by their content; SEND=yes does it
	@mkdir -p $(CI_FOLDER)
	AMLOCAL_HOME=$(CURDIR)/$(CI_FOLDER)/workspace $(VENV)/bin/python .ci/package_assets.py --versions $(CI_FOLDER)/versions.json $(CD_FLAGS)

cd-submit: setup  ## Stage: run the lifecycle in Azure and judge its model; SEND=yes does it
	@mkdir -p $(CI_FOLDER)
ifeq ($(CD_DRY),)
	$(CD_JOB) --stream --query name -o tsv > $(CI_FOLDER)/submitted
	$(CD_AML) gate check -f $(CI_POLICY) --job "$$(cat $(CI_FOLDER)/submitted)" $(CD_FLAGS) -o table
else
	$(CD_JOB) -o table
endif

cd-deploy: setup  ## Stage: roll the registered model out by stages; SEND=yes does it
ifeq ($(CD_DRY),)
	$(CD_AML) online-deployment rollout -f endpoints/adult/rollout.yml $(CD_FLAGS)
else
	$(CD_AML) online-deployment create -f endpoints/adult/green.yml $(CD_FLAGS) -o table
endif
