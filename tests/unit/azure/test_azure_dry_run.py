"""Dry runs: the real SDK, and nothing that leaves the machine."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from tests.unit.azure.fakes import FakeReporter, as_the_sdk_sends

import amlocal
from amlocal.azure.client import AzureClient
from amlocal.azure.recorder import Request
from amlocal.azure.sdk import load, quiet
from amlocal.errors import SpecError, TargetError
from amlocal.plan import JobStatus

pytestmark = pytest.mark.usefixtures("no_network")

WORKSPACE = (
    "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws"
)


def kinds(requests: Any) -> list[str]:
    """Each request by what it creates."""
    return [
        "upload"
        if request.is_upload
        else re.sub(rf"^{WORKSPACE}/(\w+)/.*", r"\1", request.path, flags=re.IGNORECASE)
        for request in requests
    ]


def resource(request: Request) -> str:
    return request.path.split("?")[0]


def test_a_command_job(client: AzureClient) -> None:
    job = client.jobs.create_or_update("job.yml", name="my_job")
    assert (job.name, job.type, job.status) == ("my_job", "command", JobStatus.NOT_STARTED)
    assert (job.compute, job.experiment_name, job.source) == ("cpu-cluster", "exp", "job.yml")
    requests = client.requests
    # Two source files of three: .amlignore keeps the third back. (It sends itself, too.)
    assert kinds(requests) == ["upload", "upload", "upload", "codes", "upload", "jobs"]
    assert {request.method for request in requests} == {"PUT"}
    code, sent = requests[3], requests[-1]
    assert sent.path == f"{WORKSPACE}/jobs/my_job?api-version=2025-01-01-preview"
    properties = sent.body["properties"]
    assert properties["codeId"] == resource(code)
    assert properties["computeId"] == f"{WORKSPACE}/computes/cpu-cluster"
    assert properties["environmentId"].startswith("azureml://registries/azureml/environments/")
    assert properties["inputs"]["n"] == {"value": "3", "jobInputType": "literal"}
    assert properties["inputs"]["registered"]["uri"] == f"{WORKSPACE}/data/adult/versions/3"
    assert properties["inputs"]["table"]["uri"].startswith("azureml://datastores/")


def test_uploads_are_told_by_size_and_hash(client: AzureClient, project: Path) -> None:
    client.jobs.create_or_update("job.yml")
    uploads = {r.path.rsplit("/", 1)[-1]: r for r in client.requests if r.is_upload}
    assert set(uploads) == {".amlignore", "main.py", "other.py", "x.csv"}
    for name, file in {"main.py": "src/main.py", "x.csv": "data/x.csv"}.items():
        content = (project / file).read_bytes()
        assert uploads[name].body == {
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        assert "sig" not in uploads[name].path


def test_a_large_upload_is_told_in_its_blocks(client: AzureClient, project: Path) -> None:
    size = 65 << 20  # over the 64 MiB that the storage client sends at once
    with (project / "data" / "x.csv").open("wb") as file:
        file.truncate(size)
    client.jobs.create_or_update("job.yml")
    blocks = [r for r in client.requests if r.is_upload and "blockid=" in r.path]
    assert len(blocks) > 1
    assert sum(block.body["bytes"] for block in blocks) == size


def test_a_pipeline_comes_after_what_it_needs(client: AzureClient) -> None:
    job = client.jobs.create_or_update("pipeline.yml")
    requests = client.requests
    made = [kind for kind in kinds(requests) if kind != "upload"]
    assert made == ["environments", "codes", "components", "codes", "components", "jobs"]
    by_kind = {kind: [r for r in requests if kinds([r]) == [kind]] for kind in made}
    train, inline = by_kind["components"]
    (pipeline,) = by_kind["jobs"]
    steps = pipeline.body["properties"]["jobs"]
    assert steps["train"]["componentId"] == resource(train)
    assert steps["inline"]["componentId"] == resource(inline)
    assert steps["registered"]["componentId"] == f"{WORKSPACE}/components/score/versions/2"
    (environment,) = by_kind["environments"]
    spec = train.body["properties"]["componentSpec"]
    assert spec["environment"] == f"azureml:{resource(environment)}"
    assert spec["code"] == f"azureml:{resource(by_kind['codes'][0])}"
    assert "mlflow" in environment.body["properties"]["condaFile"]
    inline_spec = inline.body["properties"]["componentSpec"]
    assert inline_spec["environment"].endswith("/environments/env/versions/latest")
    assert [step.step for step in job.children] == ["train", "registered", "inline"]
    assert {step.status for step in job.children} == {JobStatus.NOT_STARTED}


@pytest.mark.parametrize("file", ["job.yml", "pipeline.yml"])
def test_the_body_is_the_sdks_own(client: AzureClient, file: str) -> None:
    with quiet():
        job = load("job", file, (), {"name": "j"})  # unnamed, each conversion makes one up
    client.jobs.create_or_update(job)
    assert client.requests[-1].body == as_the_sdk_sends(job)


def test_settings_change_the_file(client: AzureClient) -> None:
    client.jobs.create_or_update(
        "job.yml", overrides=["inputs.n=5", "display_name=five", "compute=azureml:big"]
    )
    properties = client.requests[-1].body["properties"]
    assert properties["inputs"]["n"]["value"] == "5"
    assert properties["displayName"] == "five"
    assert properties["computeId"].endswith("/computes/big")


def test_the_latest_version_has_a_stand_in(client: AzureClient) -> None:
    client.jobs.create_or_update(
        "job.yml",
        overrides=["inputs.registered.path=azureml:adult@latest", "environment=azureml:e@latest"],
    )
    properties = client.requests[-1].body["properties"]
    assert properties["inputs"]["registered"]["uri"] == f"{WORKSPACE}/data/adult/versions/latest"
    assert properties["environmentId"] == f"{WORKSPACE}/environments/e/versions/latest"


def test_a_registered_component_and_model_by_label(client: AzureClient) -> None:
    client.jobs.create_or_update(
        "pipeline.yml",
        overrides=[
            "jobs.registered.component=azureml:score@latest",
            "inputs.data.type=mlflow_model",
            "inputs.data.path=azureml:m@latest",
        ],
    )
    properties = client.requests[-1].body["properties"]
    assert properties["inputs"]["data"]["uri"] == f"{WORKSPACE}/models/m/versions/latest"
    step = properties["jobs"]["registered"]
    assert step["componentId"] == f"{WORKSPACE}/components/score/versions/latest"


def test_an_object_is_sent_as_a_file_is(client: AzureClient) -> None:
    from azure.ai.ml import command

    job = command(command="echo 1", environment="azureml:e:1", compute="cpu")
    info = client.jobs.create_or_update(job, name="from_object")
    assert info.name == "from_object"
    assert info.source == ""
    assert client.requests[-1].body["properties"]["command"] == "echo 1"


def test_a_dry_run_does_not_wait_for_the_job(client: AzureClient) -> None:
    reporter = FakeReporter()
    job = client.jobs.create_or_update("job.yml", reporter=reporter)
    assert job.status is JobStatus.NOT_STARTED
    assert reporter.told == []


def test_checking_sends_nothing(client: AzureClient) -> None:
    assert client.jobs.validate("pipeline.yml").type == "pipeline"
    assert client.requests == ()


def test_a_broken_file_is_told_field_by_field(client: AzureClient) -> None:
    with pytest.raises(SpecError, match=r"broken\.yml: inputz: Unknown field"):
        client.jobs.create_or_update("broken.yml")
    assert client.requests == ()


@pytest.mark.parametrize("operation", ["validate", "create_or_update"])
def test_a_missing_input_is_told(client: AzureClient, project: Path, operation: str) -> None:
    file = project / "pipeline.yml"
    file.write_text(file.read_text().replace('data: "${{parent.inputs.data}}", ', ""))
    with pytest.raises(SpecError) as caught:
        getattr(client.jobs, operation)("pipeline.yml")
    assert str(caught.value) == (
        "pipeline.yml: jobs.train.inputs.data: "
        "Required input 'data' for component 'train' not provided."
    )


def test_a_missing_file_is_told(client: AzureClient) -> None:
    with pytest.raises(SpecError, match=r"none\.yml: No such file"):
        client.jobs.create_or_update("none.yml")


@pytest.mark.parametrize(
    ("kind", "file", "path", "value"),
    [
        (
            "environments",
            "environment.yml",
            "/environments/env/versions/1",
            ("image", "python:3.11"),
        ),
        ("data", "data.yml", "/data/adult/versions/3", ("dataType", "uri_file")),
        ("models", "model.yml", "/models/m/versions/1", ("modelType", "custom_model")),
        ("components", "component.yml", "/components/train/versions/1", ("isAnonymous", False)),
    ],
)
def test_assets(
    client: AzureClient, kind: str, file: str, path: str, value: tuple[str, object]
) -> None:
    asset = getattr(client, kind).create_or_update(file)
    sent = client.requests[-1]
    assert resource(sent) == f"{WORKSPACE}{path}"
    assert sent.body["properties"][value[0]] == value[1]
    assert [asset.name, asset.version] == path.split("/")[2::2]


def test_an_asset_from_fields(client: AzureClient) -> None:
    client.data.create_or_update(None, name="d", version="7", path="data", type="uri_folder")
    assert resource(client.requests[-1]) == f"{WORKSPACE}/data/d/versions/7"


@pytest.mark.parametrize("kind", ["data", "models"])
def test_an_asset_without_a_version_is_the_first(client: AzureClient, kind: str) -> None:
    getattr(client, kind).create_or_update(None, name="new", path="data")
    created = [r for r in client.requests if not r.is_upload]
    assert [resource(r) for r in created] == [f"{WORKSPACE}/{kind}/new/versions/1"]


def test_an_environment_with_a_build_context(client: AzureClient, project: Path) -> None:
    (project / "docker").mkdir()
    (project / "docker" / "Dockerfile").write_text("FROM python:3.11\n")
    (project / "e.yml").write_text("name: e\nversion: 2\nbuild: {path: docker}\n")
    client.environments.create_or_update("e.yml")
    upload, environment = client.requests
    assert upload.path.endswith("/Dockerfile")
    context = environment.body["properties"]["build"]["contextUri"]
    assert upload.path.startswith(context.rstrip("/"))


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.jobs.get("x"),
        lambda client: client.jobs.list(),
        lambda client: client.jobs.cancel("x"),
        lambda client: client.jobs.archive("x"),
        lambda client: client.jobs.download("x"),
        lambda client: client.jobs.stream("x", FakeReporter()),
        lambda client: client.data.list(),
        lambda client: client.components.list("c"),
        lambda client: client.models.get("m"),
        lambda client: client.environments.archive("e", "1"),
        lambda client: client.models.get("m", "1"),
    ],
)
def test_what_needs_a_workspace_is_refused(client: AzureClient, ask: Any) -> None:
    with pytest.raises(TargetError, match="a dry run has no workspace to ask: ") as caught:
        ask(client)
    assert "--dry-run" in caught.value.hint
    assert client.requests == ()


def test_nothing_is_printed(client: AzureClient, capfd: Any, caplog: Any) -> None:
    client.jobs.create_or_update("pipeline.yml")
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_other_storage_clients_keep_their_transport(client: AzureClient) -> None:
    import azure.storage.blob._shared.base_client as storage
    from azure.core.pipeline.transport import RequestsTransport

    client.jobs.create_or_update("job.yml")
    assert storage.RequestsTransport is RequestsTransport


def test_connect_with_the_target_from_the_environment(project: Path) -> None:
    client = amlocal.connect(environ={"AMLOCAL_TARGET": "azure"}, dry_run=True)
    client.jobs.create_or_update("job.yml")
    assert isinstance(client, AzureClient)
    assert "/resourceGroups/RESOURCE-GROUP/" in client.requests[-1].path


@pytest.mark.parametrize("cloud", ["AzureChinaCloud", "AzureUSGovernment"])
def test_sovereign_clouds(project: Path, monkeypatch: pytest.MonkeyPatch, cloud: str) -> None:
    monkeypatch.setenv("AZUREML_CURRENT_CLOUD", cloud)  # the SDK reads the process's own, too
    client = AzureClient.open(None, {"AZUREML_CURRENT_CLOUD": cloud}, dry_run=True)
    client.jobs.create_or_update("pipeline.yml")
    assert "/workspaces/WORKSPACE/jobs/" in client.requests[-1].path
    uploads = [request.path for request in client.requests if request.is_upload]
    assert all(path.startswith("https://dryrun.blob.core.") for path in uploads)


def test_requests_are_json_values(client: AzureClient) -> None:
    client.jobs.create_or_update("job.yml")
    for request in client.requests:
        assert Request.from_json(request.to_json()) == request
