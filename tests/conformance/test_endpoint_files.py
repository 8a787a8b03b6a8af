"""Every endpoint and deployment of the public examples is taken, or it is said why not.

Needs a checkout of Azure/azureml-examples, named by AZUREML_EXAMPLES; nothing of it is kept here.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import amlocal
from amlocal.errors import AmlocalError
from amlocal.spec import (
    load_batch_deployment,
    load_batch_endpoint,
    load_online_deployment,
    load_online_endpoint,
)

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(600)]

LOADERS: Mapping[str, Callable[..., Any]] = {
    "OnlineEndpoint": load_online_endpoint,
    "OnlineDeployment": load_online_deployment,
    "BatchEndpoint": load_batch_endpoint,
    "BatchDeployment": load_batch_deployment,
}

#: What the scripts beside the files write into them.
PLACEHOLDERS = [
    (r'"?(\{\{|<) ?(?i:my-)?(?i:endpoint[_-]name)(?i:-name)? ?(\}\}|>)"?', "my-endpoint"),
    (r"\{\{ ?model_version ?\}\}", "1"),
    (r"<SCORING_SCRIPT>", "single-file-to-file-score.py"),
    (r"<CODE_DIR>", "code"),
    (r"\{\{ ?\w+ ?\}\}|<\w+>", "placeholder"),
]

#: Why a file is not taken.
REASONS = [
    r"a custom container does not run here; ",
    r"(a deployment|an endpoint) on Kubernetes does not run here, only a managed one; ",
    r"neither a model nor a scoring script: a model package or a container does not run here; ",
    r"a Triton model does not run here: there is no Triton server; ",
    r"a deployment of a job that has run cannot be made here; ",
    # What the scripts download, copy, or register first.
    r"the (model|code folder) '.+' is not there; ",
    r"no component named '.+'; ",
    # Azure's client refuses it when it is sent.
    r"'regular_deployment' cannot be the name of a deployment; ",
]


def test_every_file_is_taken_or_refused_for_a_reason(examples: Path, tmp_path: Path) -> None:
    client = amlocal.connect(path=tmp_path / ".amlocal")
    taken, unexplained = [], []
    endpoints = tmp_path / "endpoints"
    shutil.copytree(examples.parent / "endpoints", endpoints)
    for file in sorted([*endpoints.rglob("*.yml"), *endpoints.rglob("*.yaml")]):
        text = file.read_text()
        kind = re.search(r"(Online|Batch)(Endpoint|Deployment)\.schema\.json", text, re.IGNORECASE)
        if kind is None:
            continue
        try:
            _load(client, file, text, f"{kind[1].title()}{kind[2].title()}")
            taken.append(file.name)
        except AmlocalError as error:
            unexplained += [
                f"{file.relative_to(endpoints)}: {line}"
                for line in str(error).splitlines()
                if not any(re.search(reason, line) for reason in REASONS)
            ]
    assert unexplained == []
    assert len(taken) >= 50


def _load(client: Any, file: Path, text: str, kind: str) -> None:
    for pattern, value in PLACEHOLDERS:
        text = re.sub(pattern, value, text)
    file.write_text(text)
    flags: dict[str, Any] = {}
    if kind == "OnlineDeployment":
        flags = {"endpoint_name": "my-endpoint"}
    elif kind == "BatchDeployment":
        flags = {"assets": client.jobs.assets}
    LOADERS[kind](file, **flags)
