"""How simple a model is: what kind it is, and then how large.

The kinds, the simplest first, by how much of a prediction a person can follow: a constant; a
weighted sum (linear models and naive Bayes); one tree; a sum of one curve a feature (explainable
boosting); an ensemble of trees; what is of no known kind (kernels, neighbours, networks); an
ensemble of models. Of one kind the smaller folder is the simpler model.
"""

from __future__ import annotations

import re
from typing import Any

#: Kinds from the simplest on, with what scikit-learn, LightGBM, XGBoost, interpret, Azure's AutoML,
#: and `train` call their estimators; in small letters, without `Classifier` or `Regressor`.
KINDS: dict[str, frozenset[str]] = {
    "constant": frozenset({"dummy", "naive", "average"}),
    "linear": frozenset(
        {"linear", "linearregression", "linearsvc", "linearsvr", "linearsvm", "logisticregression"}
        | {"logisticregressioncv", "ridge", "ridgecv", "lasso", "lassocv", "lassolars"}
        | {"lassolarscv", "elasticnet", "elasticnetcv", "sgd", "perceptron", "bayesianridge"}
        | {"huber", "quantile", "poisson", "gamma", "tweedie", "multinomialnb", "bernoullinb"}
        | {"gaussiannb", "complementnb", "multinomialnaivebayes", "bernoullinaivebayes"}
        | {"lineardiscriminantanalysis"}
    ),
    "tree": frozenset({"decisiontree", "extratree"}),
    "additive": frozenset({"ebm", "explainableboosting"}),
    "trees": frozenset(
        {"randomforest", "extratrees", "extremerandomtrees", "gradientboosting", "lightgbm"}
        | {"histgradientboosting", "lgbm", "lgbmmodel", "xgb", "xgbmodel", "xgboost", "catboost"}
        | {"adaboost"}
    ),
    "other": frozenset(),
    "ensemble": frozenset(
        {"voting", "stacking", "vote", "stack", "votingensemble", "stackensemble", "bagging"}
        | {"prefittedsoftvoting", "prefittedvoting", "softvoting"}
    ),
}
ORDER = tuple(KINDS)


def kind_of(estimator: Any, said: str = "") -> str:
    """Return the kind of a model.

    Args:
        estimator: What predicts; of a pipeline its last step counts.
        said: What the model's metadata call its estimator, for one of a class of its own.
    """
    while hasattr(estimator, "steps"):
        estimator = estimator.steps[-1][1]
    for name in (*(base.__name__ for base in type(estimator).__mro__), said):
        plain = re.sub(r"(classifier|regressor)$", "", re.sub(r"[^a-z]", "", name.lower()))
        for kind, names in KINDS.items():
            if plain in names:
                return kind
    return "other"
