"""A small project of Azure ML files."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from amlocal.azure.client import AzureClient

FILES = {
    "src/main.py": "print(1)\n",
    "src/other.py": "print(2)\n",
    "src/.amlignore": "*.tmp\n",
    "src/scratch.tmp": "not sent\n",
    "data/x.csv": "a,b\n1,2\n",
    "conda.yml": "name: e\ndependencies: [python=3.11, pip, {pip: [mlflow]}]\n",
    "component.yml": """
name: train
version: 1
type: command
inputs:
  data: {type: uri_file}
  n: {type: integer, default: 3}
outputs:
  model: {type: mlflow_model}
code: ./src
environment:
  image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04
  conda_file: ./conda.yml
command: python main.py ${{inputs.data}} ${{inputs.n}} ${{outputs.model}}
""",
    "job.yml": """
type: command
experiment_name: exp
code: src
command: python main.py ${{inputs.table}} ${{inputs.n}}
environment: azureml://registries/azureml/environments/sklearn-1.5/labels/latest
compute: azureml:cpu-cluster
inputs:
  table: {type: uri_folder, path: data}
  registered: {type: uri_file, path: "azureml:adult:3"}
  n: 3
""",
    "pipeline.yml": """
type: pipeline
experiment_name: exp
settings:
  default_compute: azureml:cpu-cluster
inputs:
  data: {type: uri_file, path: ./data/x.csv}
jobs:
  train:
    type: command
    component: ./component.yml
    inputs: {data: "${{parent.inputs.data}}", n: 4}
  registered:
    type: command
    component: azureml:score:2
    inputs: {model: "${{parent.jobs.train.outputs.model}}"}
  inline:
    type: command
    code: ./src
    command: python main.py
    environment: azureml:env@latest
""",
    "environment.yml": "name: env\nimage: python:3.11\nconda_file: ./conda.yml\n",
    "data.yml": "name: adult\nversion: 3\ntype: uri_file\npath: ./data/x.csv\n",
    "model.yml": "name: m\ntype: custom_model\npath: ./data\n",
    "score/score.py": "def init():\n    pass\n\n\ndef run(data):\n    return data\n",
    "model/MLmodel": "flavors: {}\n",
    "request.json": '{"input_data": [[1]]}',
    "endpoint.yml": "name: adult\ndescription: census\ntags: {a: b}\n",
    "blue.yml": """
name: blue
endpoint_name: adult
model: {path: ./model, type: mlflow_model}
code_configuration: {code: ./score, scoring_script: score.py}
environment: {image: "python:3.11", conda_file: ./conda.yml}
instance_type: Standard_DS3_v2
instance_count: 2
request_settings: {request_timeout_ms: 3000}
""",
    "census.yml": "name: census\ndescription: files\n",
    "main.yml": """
name: main
endpoint_name: census
type: model
model: azureml:adult:3
compute: azureml:cpu-cluster
resources: {instance_count: 1}
settings: {mini_batch_size: 5, output_action: append_row}
""",
    "pipe.yml": """
name: pipe
endpoint_name: census
type: pipeline
component: azureml:score:2
settings: {default_compute: cpu-cluster}
""",
    "broken.yml": "type: command\ncommand: x\nenvironment: azureml:e:1\ninputz: {a: 1}\n",
}


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail whatever opens a connection, or so much as looks up a name."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError(f"the network was reached for: {args}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files above, made the current one."""
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def client(project: Path) -> AzureClient:
    """A client that keeps its requests instead of sending them."""
    return AzureClient.open(
        None, {}, subscription_id="sub", resource_group="rg", workspace_name="ws", dry_run=True
    )
