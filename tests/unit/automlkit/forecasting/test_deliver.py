from importlib.metadata import version

import pytest

from automlkit.forecasting.deliver import requirements
from automlkit.forecasting.portfolio import Candidate


@pytest.mark.parametrize(
    ("algorithm", "library"),
    [
        ("XGBoostRegressor", "xgboost"),
        ("LightGBM", "lightgbm"),
        ("ElasticNet", "mlforecast"),
        ("MSTL", "statsforecast"),
    ],
)
def test_what_a_model_needs_is_what_is_installed(algorithm, library):
    lines = requirements([Candidate(algorithm, {})], has_holidays=False)
    assert any(line.startswith(library) for line in lines)
    assert f"mlflow=={version('mlflow')}" in lines
    # A package of another name, with the same modules, may be the installed one.
    for line in lines:
        name, pinned = line.split("==")
        assert version(name) == pinned
    assert not any(line.startswith("holidays") for line in lines)


def test_holidays_are_needed_where_they_are_features():
    lines = requirements([Candidate("Naive", {})], has_holidays=True)
    assert f"holidays=={version('holidays')}" in lines
    assert not any(line.startswith("mlforecast") for line in lines)
