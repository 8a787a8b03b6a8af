"""Forecasting: statistical models and regressions on lags, by rolling origins, by Azure's names."""

from automlkit.forecasting.run import run

__all__ = ["run"]
