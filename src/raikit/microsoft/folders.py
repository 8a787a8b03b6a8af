"""The folder that the constructor writes and every tool reads, and the folders of the tools.

Names and layout are Microsoft's: `rai_insights.json` beside `train` and `test` of the constructor,
and beside the folder of the one analysis of a tool. The tables are read once and kept as Parquet,
and the model is kept beside them, where Microsoft's fetches both again from the workspace.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stepkit.program import StepError, read_json, write_json

#: What is known of a dashboard, in every folder.
FILE = "rai_insights.json"
TRAIN, TEST, MODEL = "train", "test", "model"
#: Folders of a saved dashboard that `RAIInsights.load` wants, empty or not.
ANALYSES = ("causal", "counterfactual", "error_analysis", "explainer")
ARGUMENTS = "constructor_args"


def write(folder: Path, title: str, arguments: dict[str, Any], model: Path) -> None:
    """Write what is known of a dashboard, and its model.

    Args:
        folder: With the tables, which `tables.keep` wrote.
        title: Of the dashboard.
        arguments: Of `RAIInsights`.
        model: The folder of the MLflow model.
    """
    shutil.copytree(model, folder / MODEL)
    document = {
        # Tells dashboards of one model and one job apart from all others.
        "rai_insights_parent_run_id": os.environ.get("AZUREML_RUN_ID", ""),
        "model_id": str(model),
        ARGUMENTS: arguments,
        "dashboard_title": title,
    }
    write_json(folder / FILE, document)


def read(folder: Path) -> dict[str, Any]:
    """Return what is known of a dashboard.

    Raises:
        StepError: The folder is not of a tool of this engine.
    """
    if not (folder / FILE).is_file():
        raise StepError(
            f"{folder} has no {FILE}: it was not written by the engine responsibleai",
            hint="run all tools of one dashboard with one engine, in one job",
        )
    document: dict[str, Any] = read_json(folder / FILE)
    return document


def analyses(folders: Sequence[Path], known: dict[str, Any]) -> dict[str, Path]:
    """Return the tools' folders by the analysis in them.

    Args:
        folders: What the tools wrote.
        known: Of the dashboard that they are for.

    Raises:
        StepError: One is not of a tool, or of another constructor, or is given twice.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        if read(folder) != known:
            raise StepError(
                f"the insight {folder} is of another constructor than the dashboard",
                hint="give both the same constructor's output",
            )
        names = [each for each in ANALYSES if (folder / each).is_dir()]
        if len(names) != 1:
            raise StepError(f"{folder} has no analysis", hint="give the output of a tool")
        if names[0] in found:
            raise StepError(f"{names[0]} is given twice", hint="give it once")
        found[names[0]] = folder
    return found
