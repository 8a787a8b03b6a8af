from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.lab import Lab

from amlocal.errors import SpecError, TargetError, UsageError
from amlocal.local.endpoints.environment import environment_of_model
from amlocal.local.endpoints.models import ServedModel
from amlocal.local.endpoints.versions import VersionMaker
from amlocal.plan import Environment, ModelSource, OnlineDeployment


@pytest.fixture
def maker(lab: Lab) -> VersionMaker:
    return lab.client.online_deployments.maker


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    return tmp_path / "versions"


def scripted(lab: Lab, **fields: Any) -> OnlineDeployment:
    lab.write("code/score.py", "old")
    lab.write("code/lib/near.py", "")
    lab.write("code/.amlignore", "secret.txt\n")
    lab.write("code/secret.txt", "")
    model = lab.write("files/model.pkl", "weights")
    given = {
        "model": ModelSource(path=str(model)),
        "code": str(lab.project / "code"),
        "scoring_script": "score.py",
        **fields,
    }
    return OnlineDeployment(name="blue", endpoint_name="adult", **given)


def test_a_version_is_laid_out_as_in_azure_and_edits_do_not_count(
    lab: Lab, maker: VersionMaker, versions: Path
) -> None:
    plan = scripted(lab, environment_variables={"TOKEN": "secret"})
    version = maker.make(plan, versions, "auto")
    (lab.project / "code" / "score.py").write_text("new")
    (lab.project / "files" / "model.pkl").write_text("other")
    app = Path(version.app)
    assert app.name == "code"
    files = sorted(p.relative_to(app).as_posix() for p in app.rglob("*") if p.is_file())
    assert files == [".amlignore", "lib/near.py", "score.py"]
    assert (app / "score.py").read_text() == "old"
    assert (Path(version.model_dir) / "model.pkl").read_text() == "weights"
    assert version.model_path == str(Path(version.model_dir) / "model.pkl")
    assert version.model == str(lab.project / "files" / "model.pkl")
    # Variables may be secret: they are in a file that only its owner reads, not in the records.
    assert "secret" not in version.to_json().decode()
    assert version.variables() == {"TOKEN": "secret"}
    assert (Path(version.folder) / "variables.json").stat().st_mode & 0o777 == 0o600


def test_a_folder_keeps_its_own_name(lab: Lab, maker: VersionMaker, versions: Path) -> None:
    lab.write("my-model/a/b.txt", "b")
    plan = scripted(lab, model=ModelSource(path=str(lab.project / "my-model") + "/"))
    version = maker.make(plan, versions, "auto")
    assert (Path(version.model_dir) / "my-model" / "a" / "b.txt").read_text() == "b"


def test_a_script_may_do_without_a_model(lab: Lab, maker: VersionMaker, versions: Path) -> None:
    version = maker.make(scripted(lab, model=None), versions, "current")
    assert (version.model_dir, version.model_path, version.model) == ("", "", "")


def test_a_model_is_kept_from_a_version(lab: Lab, maker: VersionMaker, versions: Path) -> None:
    first = maker.make(scripted(lab), versions, "auto")
    (lab.project / "files" / "model.pkl").write_text("other")
    kept = maker.make(scripted(lab), versions, "auto", model_of=first)
    assert Path(kept.model_path).read_text() == "weights"
    assert (
        (kept.model, kept.model_type)
        == (first.model, first.model_type)
        == (kept.model, "custom_model")
    )
    assert kept.folder != first.folder
    fresh = maker.make(scripted(lab), versions, "auto")
    assert Path(fresh.model_path).read_text() == "weights"  # `scripted` wrote it again


@pytest.mark.parametrize(
    ("change", "error", "problem"),
    [
        ({"scoring_script": "none.py"}, SpecError, "no scoring script none.py"),
        ({"code": "/nowhere"}, SpecError, "/nowhere does not exist"),
        ({"code": "azureml://x/y"}, SpecError, "not on this machine"),
        ({"code": None}, UsageError, "no code folder"),
        ({"model": ModelSource(path="/nowhere")}, TargetError, "no data at /nowhere"),
        ({"scoring_script": None}, UsageError, "neither a scoring script nor an MLflow model"),
        ({"scoring_script": None, "model": None}, UsageError, "neither a scoring script"),
        (
            {"environment": Environment(image="i", inference_config={"scoring_route": {}})},
            TargetError,
            "'blue' runs a container of its own, and there is no Docker on this machine",
        ),
    ],
)
def test_what_cannot_be_served_is_refused_and_leaves_nothing(
    lab: Lab,
    maker: VersionMaker,
    versions: Path,
    change: dict[str, Any],
    error: type[Exception],
    problem: str,
) -> None:
    maker = replace(maker, environ={"PATH": "/nowhere"})
    plan = msgspec.structs.replace(scripted(lab), **change)
    with pytest.raises(error, match=problem):
        maker.make(plan, versions, "auto")
    assert not versions.exists()


def test_a_folder_without_an_mlmodel_file_is_no_mlflow_model(
    lab: Lab, maker: VersionMaker, versions: Path
) -> None:
    lab.write("m/file", "")
    model = ModelSource(path=str(lab.project / "m"), type="mlflow_model")
    plan = OnlineDeployment(name="blue", endpoint_name="adult", model=model)
    with pytest.raises(UsageError, match="it holds no MLmodel file"):
        maker.make(plan, versions, "auto")


def test_a_registered_model_is_found_under_the_name_that_it_was_registered_with(
    lab: Lab, maker: VersionMaker, versions: Path
) -> None:
    lab.write("trained/model/MLmodel", "flavors: {}\n")
    for name in ("fruit", "fruit"):
        lab.client.models.create_or_update(
            None, name=name, path=str(lab.project / "trained" / "model") + "/", type="mlflow_model"
        )
    for reference, number in (("azureml:fruit:1", "1"), ("azureml:fruit@latest", "2")):
        plan = OnlineDeployment(
            name="blue", endpoint_name="adult", model=ModelSource(reference=reference)
        )
        version = maker.make(plan, versions, "auto")
        assert version.model == f"fruit:{number}"
        assert version.registered == ("fruit", number)
        assert version.model_dir.endswith(f"/azureml-models/fruit/{number}")
        assert (Path(version.model_path) / "MLmodel").read_text() == "flavors: {}\n"
        assert Path(version.model_path).name == "model"
        # The plan of a reference does not say it.
        assert version.model_type == "mlflow_model"


MODEL = ServedModel(Path(), "model", "m", "1", "mlflow_model", "m:1")


def test_an_mlflow_model_brings_its_environment(tmp_path: Path) -> None:
    model = replace(MODEL, path=tmp_path)
    assert environment_of_model(model) is None
    (tmp_path / "requirements.txt").write_text("# made by mlflow\nscikit-learn==1.5\n\n")
    found = environment_of_model(model)
    assert found is not None
    assert found.conda is not None
    assert found.conda["dependencies"] == [{"pip": ["scikit-learn==1.5"]}]
    (tmp_path / "conda.yaml").write_text("name: x\ndependencies: [python=3.10]\n")
    found = environment_of_model(model)
    assert found is not None
    assert found.conda == {"name": "of model m:1", "dependencies": ["python=3.10"]}
    (tmp_path / "conda.yaml").write_text("a: [")
    with pytest.raises(TargetError, match="is not YAML"):
        environment_of_model(model)


def test_a_built_environment_gets_what_the_server_needs(
    lab: Lab, maker: VersionMaker, versions: Path
) -> None:
    conda = {"name": "x", "dependencies": [{"pip": ["no-such-package-here==1", "uvicorn==0.34"]}]}
    plan = scripted(lab, environment=Environment(name="x", conda=conda))
    choice = maker.make(plan, versions, "auto").choice
    assert choice.kind == "isolated"
    assert choice.requirements[-1] == "azureml-inference-server-http"
    lab.write("m/MLmodel", "")
    lab.write("m/requirements.txt", "no-such-package-here==1\nuvicorn==0.34\n")
    model = ModelSource(path=str(lab.project / "m"), type="mlflow_model")
    plan = OnlineDeployment(name="blue", endpoint_name="adult", model=model)
    lines = maker.make(plan, versions, "auto").choice.requirements
    assert [line for line in lines if line.startswith("uvicorn")] == ["uvicorn==0.34"]
    assert any(line.startswith("msgspec") for line in lines)
    assert maker.make(plan, versions, "current").choice.kind == "current"
