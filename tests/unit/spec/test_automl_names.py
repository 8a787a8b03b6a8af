"""The names that AutoML's fields may hold are the SDK's."""

from __future__ import annotations

from typing import Any

import pytest

from amlocal.spec import automl_names, sdk

# The SDK's own use of marshmallow.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_the_names_are_those_of_the_sdk() -> None:
    with sdk.quiet():
        from azure.ai.ml._restclient.arm_ml_service import models
        from azure.ai.ml.constants._job.automl import AutoMLTransformerParameterKeys

    def values(kind: Any) -> set[str]:
        return {item.value for item in kind}

    for task in automl_names.TASKS:
        title = task.capitalize()
        assert set(automl_names.ALGORITHMS[task].values()) == values(
            getattr(models, f"{title}Models")
        )
        metrics = values(getattr(models, f"{title}PrimaryMetrics"))
        assert set(automl_names.METRICS[task]) == {automl_names.snake(name) for name in metrics}
    transformers = set(automl_names.TRANSFORMERS.values())
    assert transformers == values(models.BlockedTransformers)
    parametric = set(automl_names.PARAMETRIC_TRANSFORMERS.values())
    assert parametric == values(AutoMLTransformerParameterKeys)
    assert set(automl_names.META_LEARNERS.values()) == values(models.StackMetaLearnerType)
    tasks = {automl_names.snake(name) for name in values(models.TaskType)}
    assert tasks == {*automl_names.TASKS, *automl_names.IMAGE_AND_TEXT_TASKS}


@pytest.mark.parametrize("name", ["XGBoostClassifier", "SGD", "WoETargetEncoder", "TCNForecaster"])
def test_a_name_in_snake_case_is_the_sdks(name: str) -> None:
    with sdk.quiet():
        from azure.ai.ml._utils.utils import camel_to_snake
    assert automl_names.snake(name) == camel_to_snake(name)
