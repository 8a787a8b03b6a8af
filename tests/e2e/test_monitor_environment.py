"""A monitored model that needs what is not installed here is asked where it is served."""

from __future__ import annotations

from collections.abc import Iterator

import mlflow
import mlflow.pyfunc
import pandas as pd
import pytest
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema
from tests.e2e.driver import Aml
from tests.e2e.test_endpoints import Endpoint, wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    # What MLflow says of models without an example.
    pytest.mark.filterwarnings("ignore:::mlflow"),
]

#: A package that nothing here needs.
PACKAGE = "roman==5.1"
MODEL = """
import mlflow
from mlflow.pyfunc import PythonModel

class Numerals(PythonModel):
    def predict(self, context, model_input, params=None):
        import roman
        return [roman.toRoman(int(number)) for number in model_input["number"]]

mlflow.models.set_model(Numerals())
"""
DEPLOYMENT = """
name: blue
endpoint_name: numerals
model: {path: model, type: mlflow_model}
instance_type: Standard_DS3_v2
instance_count: 1
data_collector: {collections: {model_inputs: {enabled: "True"}, model_outputs: {enabled: "True"}}}
"""
MONITOR = """
$schema: https://azuremlschemas.azureedge.net/latest/monitorSchedule.schema.json
name: numerals-monitor
trigger: {type: recurrence, frequency: day, interval: 1, start_time: "2090-01-01T00:00:00"}
create_monitor:
  compute: {instance_type: standard_e4s_v3, runtime_version: "3.4"}
  monitoring_target: {ml_task: classification, endpoint_deployment_id: "azureml:numerals:blue"}
  monitoring_signals:
    predictions:
      type: prediction_drift
      reference_data:
        input_data: {type: uri_file, path: reference.csv}
        data_context: training
      metric_thresholds: {categorical: {jensen_shannon_distance: 0.1}}
"""


@pytest.fixture
def numerals(aml: Aml) -> Iterator[Endpoint]:
    """An endpoint whose model needs a package that this interpreter lacks."""
    code = aml.project / "numerals.py"
    code.write_text(MODEL)
    mlflow.pyfunc.save_model(
        aml.project / "model",
        python_model=str(code),
        signature=ModelSignature(
            Schema([ColSpec("double", "number")]), Schema([ColSpec("string")])
        ),
        pip_requirements=[f"mlflow=={mlflow.__version__}", PACKAGE],
    )
    (aml.project / "blue.yml").write_text(DEPLOYMENT)
    (aml.project / "monitor.yml").write_text(MONITOR)
    aml.run("online-endpoint", "create", "-n", "numerals")
    aml.run("online-deployment", "create", "-f", "blue.yml", "--all-traffic")
    yield Endpoint(aml, "numerals")
    aml.run("online-endpoint", "delete", "-n", "numerals", "-y")


def test_the_reference_is_predicted_in_the_deployments_environment(
    aml: Aml, numerals: Endpoint
) -> None:
    with pytest.raises(ModuleNotFoundError):
        __import__("roman")
    numbers = [1 + place % 4 for place in range(400)]
    pd.DataFrame({"number": [float(number) for number in numbers]}).to_csv(
        aml.project / "reference.csv", index=False
    )
    line = numerals.connect()
    posted = {"input_data": [{"number": float(number)} for number in numbers]}
    assert numerals.post(posted, connection=line)[0] == 200
    line.close()
    folder = aml.home / "datastores/workspaceblobstore/modelDataCollector/numerals/blue"
    wait_for(lambda: any(folder.glob("model_outputs/**/*.jsonl")))
    aml.run("schedule", "create", "-f", "monitor.yml")
    name = aml.json("schedule", "run-now", "-n", "numerals-monitor")["job_name"]
    job = aml.json("job", "stream", "-n", name)
    assert job["status"] == "Completed", job["error"]
    assert (job["monitor"]["verdict"], job["monitor"]["breaches"]) == ("ok", []), job["monitor"]
    (kept,) = (aml.home / "cache").rglob("*.parquet")
    predictions = pd.read_parquet(kept).drop(columns="number").iloc[:4, 0]
    assert predictions.tolist() == ["I", "II", "III", "IV"]
