from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.spec.files import Write

from amlocal.errors import SpecError
from amlocal.plan import BatchDeployment, BatchSettings, Environment, ModelSource
from amlocal.spec import load_batch_deployment

#: The smallest deployment: a registered model, which may be MLflow's.
SMALL = """
    name: blue
    endpoint_name: adult
    type: model
    model: azureml:adult:3
    compute: azureml:cluster
"""

#: What a scoring script needs.
SCRIPT = """
    code_configuration: {code: code, scoring_script: score.py}
    environment: azureml:serving:1
"""


@pytest.fixture
def scoring(tmp_path: Path) -> Path:
    """Write a scoring script and a model into the current folder."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "score.py").write_text("def init(): ...\n")
    (tmp_path / "model").mkdir()
    return tmp_path


def test_every_field_of_a_model_deployment_reaches_the_plan(write: Write, scoring: Path) -> None:
    file = write(
        blue="""
        $schema: https://azuremlschemas.azureedge.net/latest/modelBatchDeployment.schema.json
        name: Blue
        endpoint_name: Adult
        type: model
        description: Judges.
        tags: {team: risk, batching: 16}
        properties: {owner: me}
        model: {name: adult, path: model}
        code_configuration: {code: code, scoring_script: score.py}
        environment: azureml:serving:1
        compute: azureml:cluster
        resources: {instance_count: 2}
        settings:
          mini_batch_size: 5
          max_concurrency_per_instance: 3
          error_threshold: 7
          output_action: append_row
          output_file_name: out.csv
          retry_settings: {max_retries: 1, timeout: 300}
          logging_level: debug
          environment_variables: {LEVEL: info, WORKERS: 2}
        """
    )
    assert load_batch_deployment(file) == BatchDeployment(
        name="blue",
        endpoint_name="adult",
        description="Judges.",
        tags={"team": "risk", "batching": "16"},
        properties={"owner": "me"},
        model=ModelSource(path=str(scoring / "model"), name="adult"),
        code=str(scoring / "code"),
        scoring_script="score.py",
        environment=Environment(reference="azureml:serving:1"),
        compute="cluster",
        instance_count=2,
        settings=BatchSettings(
            mini_batch_size=5,
            max_concurrency_per_instance=3,
            error_threshold=7,
            output_file_name="out.csv",
            max_retries=1,
            timeout=300,
            logging_level="DEBUG",
            environment_variables={"LEVEL": "info", "WORKERS": "2"},
        ),
        source="blue.yml",
    )


def test_the_old_form_reaches_the_plan(write: Write, scoring: Path) -> None:
    file = write(
        blue="""
        $schema: https://azuremlschemas.azureedge.net/latest/batchDeployment.schema.json
        name: blue
        endpoint_name: adult
        description: Judges.
        tags: {team: risk}
        properties: {owner: me}
        model: azureml:adult@latest
        code_configuration: {code: code, scoring_script: score.py}
        environment: azureml:serving:1
        compute: azureml:cluster
        resources: {instance_count: 4}
        mini_batch_size: 5
        max_concurrency_per_instance: 3
        error_threshold: 7
        output_action: summary_only
        retry_settings: {max_retries: 1, timeout: 300}
        logging_level: warning
        environment_variables: {LEVEL: info}
        """
    )
    assert load_batch_deployment(file) == BatchDeployment(
        name="blue",
        endpoint_name="adult",
        description="Judges.",
        tags={"team": "risk"},
        properties={"owner": "me"},
        model=ModelSource(reference="azureml:adult@latest"),
        code=str(scoring / "code"),
        scoring_script="score.py",
        environment=Environment(reference="azureml:serving:1"),
        compute="cluster",
        instance_count=4,
        settings=BatchSettings(
            mini_batch_size=5,
            max_concurrency_per_instance=3,
            error_threshold=7,
            output_action="summary_only",
            max_retries=1,
            timeout=300,
            logging_level="WARNING",
            environment_variables={"LEVEL": "info"},
        ),
        source="blue.yml",
    )
    named = write(
        blue="{name: blue, endpoint_name: adult, model: azureml:adult:1, output_file_name: out.csv}"
    )
    assert load_batch_deployment(named).settings.output_file_name == "out.csv"


def test_what_a_file_leaves_out_is_azures_default(write: Write) -> None:
    loaded = load_batch_deployment(write(blue=SMALL))
    assert loaded == BatchDeployment(
        name="blue",
        endpoint_name="adult",
        model=ModelSource(reference="azureml:adult:3"),
        compute="cluster",
        source="blue.yml",
    )
    assert loaded.settings == BatchSettings(
        mini_batch_size=10, error_threshold=-1, max_retries=3, timeout=30
    )


def test_instances_may_be_counted_in_the_settings(write: Write) -> None:
    file = write(blue=f"{SMALL}    settings: {{mini_batch_size: 1, instance_count: 3}}")
    assert load_batch_deployment(file).instance_count == 3


def test_a_form_is_told_by_its_fields_where_it_says_no_type(write: Write) -> None:
    bare = SMALL.replace("    type: model\n", "")
    new = write(blue=f"{bare}    settings: {{mini_batch_size: 4}}")
    old = write(green=f"{bare}    mini_batch_size: 4")
    for file in (new, old):
        assert load_batch_deployment(file).settings.mini_batch_size == 4


def test_variables_beside_settings_count_as_in_azure(write: Write) -> None:
    """Azure's client drops them where there are settings."""
    variables = "    environment_variables: {A: 1}\n"
    alone = load_batch_deployment(write(blue=SMALL + variables))
    assert alone.settings.environment_variables == {"A": "1"}
    beside = load_batch_deployment(
        write(blue=f"{SMALL}{variables}    settings: {{mini_batch_size: 1}}")
    )
    assert beside.settings.environment_variables == {}
    (warned,) = beside.warnings
    assert warned.field == "model_batch_deployment.environment_variables"


def test_only_a_summary_needs_a_script(write: Write, scoring: Path) -> None:
    summary = "    settings: {mini_batch_size: 1, output_action: Summary_Only}\n"
    assert load_batch_deployment(write(b=SMALL + SCRIPT + summary)).settings.output_action == (
        "summary_only"
    )
    with pytest.raises(SpecError, match="the predictions of 'summary_only' would be lost"):
        load_batch_deployment(write(b=SMALL + summary))


def test_settings_alone_may_say_all() -> None:
    loaded = load_batch_deployment(
        None,
        overrides=["type=model", "model=azureml:adult:1", "compute=azureml:cluster"],
        name="blue",
        endpoint_name="adult",
    )
    assert loaded.model == ModelSource(reference="azureml:adult:1")
    with pytest.raises(SpecError, match=r"^--endpoint-name a: 'a' cannot be the name"):
        load_batch_deployment(None, overrides=["model=azureml:a:1"], name="abc", endpoint_name="a")


def test_objects_of_the_sdk_are_taken(
    sdk: Any, scoring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(scoring)
    entities = sdk.entities
    deployment = entities.ModelBatchDeployment(
        name="blue",
        endpoint_name="adult",
        model=entities.Model(path="model", type="custom_model"),
        code_configuration=entities.CodeConfiguration(code="code", scoring_script="score.py"),
        environment="azureml:serving:1",
        compute="cluster",
        settings=entities.ModelBatchDeploymentSettings(
            mini_batch_size=2,
            instance_count=3,
            retry_settings=entities.BatchRetrySettings(max_retries=0, timeout=9),
        ),
    )
    assert load_batch_deployment(deployment) == BatchDeployment(
        name="blue",
        endpoint_name="adult",
        model=ModelSource(path=str(scoring / "model")),
        code=str(scoring / "code"),
        scoring_script="score.py",
        environment=Environment(reference="azureml:serving:1"),
        compute="cluster",
        instance_count=3,
        settings=BatchSettings(mini_batch_size=2, max_retries=0, timeout=9),
    )
