"""The files of a small project, which many tests begin with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

#: Writes files of a project (`name="text"`, as NAME.yml) and returns the path of the last.
Write = Callable[..., Path]

#: A component of a public example's shape: an old schema address, one input with a default.
TRAIN = """
    $schema: http://azureml/sdk-2-0/CommandComponent.json
    name: train
    version: 2
    type: command
    inputs:
      data: {type: uri_folder}
      rounds: {type: integer, default: 10}
    outputs:
      model: {type: mlflow_model}
    command: train --data ${{inputs.data}} --rounds ${{inputs.rounds}} --to ${{outputs.model}}
    environment: azureml:training:1
"""
