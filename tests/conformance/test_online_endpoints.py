"""Public deployments that nobody of this project wrote: each answers its own sample request."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.driver import Aml

# The first deployment that needs an environment builds it, which can take minutes.
pytestmark = [pytest.mark.conformance, pytest.mark.timeout(1800)]

#: The public regression model's scores of the sample; the second script answers without a model.
MODEL_1, MODEL_2 = [11055.977245525679, 4503.079536107787], [0.5, 0.5]


@dataclass(frozen=True)
class Case:
    """A deployment of the examples.

    Attributes:
        file: Its YAML.
        request: The sample request, or a body.
        wanted: Whether the parsed answer is the right one.
        texts: What takes the places that the file leaves to be filled in.
        models: Model files that are registered first.
        settings: `--set` arguments.
    """

    file: str
    request: str | dict[str, Any]
    wanted: Callable[[Any], bool]
    texts: tuple[tuple[str, str], ...] = ()
    models: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


def close_to(*wanted: float) -> Callable[[Any], bool]:
    return lambda found: found == pytest.approx(list(wanted), rel=1e-3)


def numbers(count: int) -> Callable[[Any], bool]:
    def check(found: Any) -> bool:
        values = json.loads(found) if isinstance(found, str) else found
        return len(values) == count and all(isinstance(value, (int, float)) for value in values)

    return check


def first_columns(found: Any) -> bool:
    return set(json.loads(found) if isinstance(found, str) else found) == {"0"}


SAMPLE, SCHEMA = "managed/sample", "managed/inference-schema"
SCHEMA_MODEL = (f"{SCHEMA}/model.yml",)
MULTI = "custom-container/minimal/multimodel"
CASES = {
    "blue": Case(
        f"{SAMPLE}/blue-deployment.yml", "model-1/sample-request.json", close_to(*MODEL_1)
    ),
    "green": Case(
        f"{SAMPLE}/green-deployment.yml", "model-2/sample-request.json", close_to(*MODEL_2)
    ),
    "blue, curated environment": Case(
        f"{SAMPLE}/blue-deployment-with-curated-env.yml",
        "model-1/sample-request.json",
        close_to(*MODEL_1),
    ),
    "green, curated environment": Case(
        f"{SAMPLE}/green-deployment-with-curated-env.yml",
        "model-2/sample-request.json",
        close_to(*MODEL_2),
    ),
    "a registered model": Case(
        "managed/minimal/single-model-registered/deployment.yml",
        "model-1/sample-request.json",
        close_to(*MODEL_1),
        (("{{MODEL_VERSION}}", "1"),),
        ("managed/minimal/single-model-registered/model.yml",),
    ),
    "inference-schema, numpy": Case(
        f"{SCHEMA}/deployment-numpy.yml",
        f"{SCHEMA}/sample-inputs/numpy.json",
        lambda found: len(found) >= 1,
        models=SCHEMA_MODEL,
    ),
    "inference-schema, pandas": Case(
        f"{SCHEMA}/deployment-pandas.yml",
        f"{SCHEMA}/sample-inputs/pandas.json",
        lambda found: len(found) >= 1,
        models=SCHEMA_MODEL,
    ),
    "inference-schema, standard": Case(
        f"{SCHEMA}/deployment-standard.yml",
        f"{SCHEMA}/sample-inputs/standard.json",
        lambda found: len(found) >= 1,
        models=SCHEMA_MODEL,
    ),
    "openapi, decorated": Case(
        "managed/openapi/deployment.yml",
        "model-1/sample-request.json",
        lambda found: close_to(*MODEL_1)(found["output"]),
        (("<CODE_DIR>", "code-decorated"),),
    ),
    "openapi, custom": Case(
        "managed/openapi/deployment.yml",
        "model-1/sample-request.json",
        lambda found: bool(found),
        (("<CODE_DIR>", "code-custom"),),
    ),
    "several models, its container replaced": Case(
        f"{MULTI}/minimal-multimodel-deployment.yml",
        f"{MULTI}/test-data/diabetes-test-data.json",
        first_columns,
        (("{{ACR_NAME}}", "acr"),),
        settings=(
            "environment=azureml://registries/azureml/environments/sklearn-1.5/labels/latest",
        ),
    ),
    "MLflow, scikit-learn": Case(
        "ncd/sklearn-deployment.yaml", "ncd/sample-request-sklearn.json", numbers(2)
    ),
    "MLflow, LightGBM": Case(
        "ncd/lightgbm-deployment.yaml",
        "ncd/sample-request-lightgbm.json",
        lambda found: len(found) == 2,
    ),
}


@pytest.fixture(scope="session")
def online(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the examples' online endpoints, whose files may be filled in."""
    folder = tmp_path_factory.mktemp("examples") / "online"
    shutil.copytree(examples.parent / "endpoints" / "online", folder)
    return folder


@pytest.mark.parametrize("name", CASES)
def test_a_public_deployment_answers(aml: Aml, online: Path, name: str) -> None:
    case = CASES[name]
    endpoint = "e" + re.sub("[^a-z0-9]+", "-", name.lower())[:30].rstrip("-")
    for file in case.models:
        _fill(online / file, endpoint, case)
        aml.run("model", "create", "-f", str(online / file))
    file = online / case.file
    before = file.read_text()
    _fill(file, endpoint, case)
    settings = ("--set", *case.settings) if case.settings else ()
    aml.run("online-endpoint", "create", "-n", endpoint)
    try:
        arguments = ("-f", str(file), "-e", endpoint, "--all-traffic")
        aml.run("online-deployment", "create", *arguments, *settings)
        request = str(online / str(case.request))
        answer = aml.run("online-endpoint", "invoke", "-n", endpoint, "-r", request).stdout
        assert case.wanted(json.loads(answer)), answer
    finally:
        file.write_text(before)
        aml.run("online-endpoint", "delete", "-n", endpoint, "-y")


def _fill(file: Path, endpoint: str, case: Case) -> None:
    text = file.read_text()
    for place in ("{{ENDPOINT_NAME}}", "<my-endpoint-name>", "<endpoint_name>", "<ENDPOINT_NAME>"):
        text = text.replace(place, endpoint)
    for place, value in case.texts:
        text = text.replace(place, value)
    file.write_text(text)


def test_pictures_go_in_and_out(aml: Aml, online: Path) -> None:
    """Two scripts that take files of a form, and of which one answers a picture."""
    import http.client
    from urllib.parse import urlsplit

    folder = online / "managed/binary-payloads"
    picture = (folder / "input.jpg").read_bytes()
    aml.run("online-endpoint", "create", "-n", "pictures")
    text = (folder / "binary-payloads-deployment.yml").read_text()
    keys = aml.json("online-endpoint", "get-credentials", "-n", "pictures")
    for script, field, kind in (
        ("single-file-to-file-score.py", "file", "image/jpg"),
        ("multi-file-to-json-score.py", "file[]", "application/json"),
    ):
        filled = text.replace("<ENDPOINT_NAME>", "pictures").replace("<SCORING_SCRIPT>", script)
        (folder / "filled.yml").write_text(filled)
        aml.run("online-deployment", "create", "-f", str(folder / "filled.yml"), "--all-traffic")
        place = urlsplit(aml.json("online-endpoint", "show", "-n", "pictures")["scoring_uri"])
        head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="a.jpg"\r\n\r\n'
        line = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)
        headers = {
            "Authorization": f"Bearer {keys['primaryKey']}",
            "Content-Type": "multipart/form-data; boundary=x",
        }
        line.request("POST", place.path, head.encode() + picture + b"\r\n--x--\r\n", headers)
        answer = line.getresponse()
        body = answer.read()
        assert (answer.status, answer.getheader("content-type")) == (200, kind), body
        line.close()
    assert json.loads(body)["response"][0]["filename"] == "a.jpg"
    aml.run("online-endpoint", "delete", "-n", "pictures", "-y")


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("kubernetes/kubernetes-blue-deployment.yml", "kubernetes"),
        ("custom-container/tfserving/half-plus-two/tfserving-deployment.yml", "container"),
    ],
)
def test_what_cannot_be_had_here_is_refused_with_its_reason(
    aml: Aml, online: Path, file: str, reason: str
) -> None:
    aml.run("online-endpoint", "create", "-n", "refused")
    found = aml.run(
        "online-deployment", "create", "-f", str(online / file), "-e", "refused", code=2
    )
    assert reason in found.stderr.lower()
    assert aml.json("online-deployment", "list", "-e", "refused") == []
    aml.run("online-endpoint", "delete", "-n", "refused", "-y")
