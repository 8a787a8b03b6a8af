"""Learners for tests: quick, and as ill-behaved as they are told to be."""

from __future__ import annotations

import os
import time

import numpy as np
import pandas as pd

from automlkit.search.context import Context, Fold


class Shrunken:
    """Predicts the mean of the training rows, drawn to 0; for classes, their shares."""

    def __init__(self, factor, classes):
        self.factor, self.classes = factor, classes

    def fit(self, X, y, sample_weight=None):
        weights = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
        if self.classes is None:
            self.mean_ = self.factor * np.average(y, weights=weights)
        else:
            self.classes_ = np.unique(y)
            self.shares_ = [weights[np.asarray(y) == one].sum() for one in self.classes_]
        return self

    def predict(self, X):
        if self.classes is None:
            return np.full(len(X), self.mean_)
        return np.full(len(X), self.classes_[int(np.argmax(self.shares_))])

    def predict_proba(self, X):
        return np.tile(np.array(self.shares_) / sum(self.shares_), (len(X), 1))


class Builder:
    """A learner that does what the hyperparameter `do` says before it builds a model."""

    name = "Fake"

    def build(self, task, config, *, columns, featurization, threads, seed, classes):
        match config.get("do"):
            case "raise":
                raise ValueError("no such thing")
            case "hang":
                time.sleep(600)
            case "crash":
                os._exit(9)
            case "gorge":
                self.held = np.ones(60_000_000)
                time.sleep(600)
            case "sleep":
                time.sleep(config["seconds"])
        return Shrunken(config.get("factor", 1.0), classes)


def context(classes=None, rows=60, folds=3):
    """Return a context of one fake learner on a small table."""
    random = np.random.default_rng(0)
    target = random.normal(3, 1, rows) if classes is None else random.choice(classes, rows)
    parts = np.array_split(random.permutation(rows), folds)
    every = np.arange(rows)
    return Context(
        task="regression" if classes is None else "classification",
        table=pd.DataFrame({"x": random.normal(size=rows)}),
        target=pd.Series(target),
        weights=None,
        rounds=[[Fold(np.setdiff1d(every, part), np.sort(part)) for part in parts]],
        delivered_rows=every,
        columns=None,
        featurization=None,
        classes=classes,
        builders={"Fake": Builder()},
        seed=0,
    )
