"""Dashboards: made of the constructor's folder, and the one analysis that a tool adds to it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from raiutils.exceptions import UserConfigValidationException
from responsibleai import RAIInsights
from responsibleai.feature_metadata import FeatureMetadata

from raikit.microsoft import folders, models, tables


def insights(folder: Path) -> RAIInsights:
    """Return the dashboard of the constructor's folder, without analyses.

    Raises:
        StepError: The model does not load or predict here.
    """
    arguments = dict(folders.read(folder)[folders.ARGUMENTS])
    metadata = FeatureMetadata(**arguments.pop("feature_metadata"))
    model = models.load(folder / folders.MODEL)
    train, test = tables.kept(folder / folders.TRAIN), tables.kept(folder / folders.TEST)
    try:
        return RAIInsights(
            model=model, train=train, test=test, feature_metadata=metadata, **arguments
        )
    except UserConfigValidationException as error:
        if "cannot be used for getting predictions" not in str(error):
            raise
        # What the model itself said is the error's context.
        said = error.__context__
        cause = said if isinstance(said, Exception) else error
        raise models.does_not_work(folder / folders.MODEL, cause) from error


def write_analysis(made: RAIInsights, folder: Path, name: str, constructed: Path) -> None:
    """Write the one analysis that was added.

    Args:
        made: A dashboard, computed.
        folder: The tool's output.
        name: The folder of the analysis in a saved dashboard.
        constructed: The constructor's folder.
    """
    with tempfile.TemporaryDirectory() as scratch:
        made.save(scratch)
        shutil.copytree(Path(scratch) / name, folder / name)
    shutil.copyfile(constructed / folders.FILE, folder / folders.FILE)
