"""The names that AutoML's fields may hold, and how Azure's client reads them.

A file may spell a name as Azure's service does (`LightGBM`) or in snake case (`light_gbm`); the
client turns both into snake case, and so does `snake` here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from amlocal.plan import AutoMLTask

TASKS: tuple[AutoMLTask, ...] = ("classification", "regression", "forecasting")
#: Tasks on images and text: they train deep networks, and do not run here.
IMAGE_AND_TEXT_TASKS = (
    "image_classification",
    "image_classification_multilabel",
    "image_object_detection",
    "image_instance_segmentation",
    "text_classification",
    "text_classification_multilabel",
    "text_ner",
)


def snake(name: str) -> str:
    """Return a name as Azure's client reads it: `XGBoostClassifier` is `xg_boost_classifier`.

    As `azure.ai.ml._utils.utils.camel_to_snake` has it.
    """
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def _by_snake(names: Iterable[str]) -> Mapping[str, str]:
    return {snake(name): name for name in names}


_NUMBERS = (
    "spearman_correlation",
    "normalized_root_mean_squared_error",
    "r2_score",
    "normalized_mean_absolute_error",
)
#: Primary metrics of each task: in snake case, to the name under which Azure logs them.
METRICS: Mapping[AutoMLTask, Mapping[str, str]] = {
    "classification": {
        "auc_weighted": "AUC_weighted",
        **{
            name: name
            for name in (
                "accuracy",
                "norm_macro_recall",
                "average_precision_score_weighted",
                "precision_score_weighted",
            )
        },
    },
    "regression": {name: name for name in _NUMBERS},
    "forecasting": {name: name for name in _NUMBERS},
}
#: What Azure's client takes where a file gives no primary metric, in snake case.
DEFAULT_METRICS: Mapping[AutoMLTask, str] = {
    "classification": "auc_weighted",
    "regression": "normalized_root_mean_squared_error",
    "forecasting": "normalized_root_mean_squared_error",
}

_TREES = (
    "DecisionTree",
    "RandomForest",
    "ExtremeRandomTrees",
    "LightGBM",
    "GradientBoosting",
    "KNN",
    "SGD",
)
_REGRESSION = (*_TREES, "ElasticNet", "LassoLars", "XGBoostRegressor")
#: Algorithms of each task: in snake case, to the service's name.
ALGORITHMS: Mapping[AutoMLTask, Mapping[str, str]] = {
    "classification": _by_snake(
        (
            *_TREES,
            "LogisticRegression",
            "MultinomialNaiveBayes",
            "BernoulliNaiveBayes",
            "SVM",
            "LinearSVM",
            "XGBoostClassifier",
        )
    ),
    "regression": _by_snake(_REGRESSION),
    "forecasting": _by_snake(
        (
            *_REGRESSION,
            "AutoArima",
            "Prophet",
            "Naive",
            "SeasonalNaive",
            "Average",
            "SeasonalAverage",
            "ExponentialSmoothing",
            "Arimax",
            "TCNForecaster",
        )
    ),
}

#: Algorithms whose packages do not come with this project.
ONLY_IN_AZURE = frozenset({"Prophet", "TCNForecaster"})

#: Transformers that may be blocked.
TRANSFORMERS = _by_snake(
    (
        "TextTargetEncoder",
        "OneHotEncoder",
        "CatTargetEncoder",
        "TfIdf",
        "WoETargetEncoder",
        "LabelEncoder",
        "WordEmbedding",
        "NaiveBayes",
        "CountVectorizer",
        "HashOneHotEncoder",
    )
)
#: Transformers that take parameters.
PARAMETRIC_TRANSFORMERS = _by_snake(("Imputer", "TfIdf", "HashOneHotEncoder"))
#: How an imputer fills what is missing; the last two are of forecasting alone.
IMPUTATIONS = ("mean", "median", "most_frequent", "constant", "ffill", "bfill")
#: What a column may be used as; the service takes them in this spelling.
PURPOSES = ("Numeric", "Categorical", "CategoricalHash", "DateTime", "Text", "Ignore")
#: What may combine the trials of a stack.
META_LEARNERS = _by_snake(
    (
        "None",
        "LogisticRegression",
        "LogisticRegressionCV",
        "LightGBMClassifier",
        "ElasticNet",
        "ElasticNetCV",
        "LightGBMRegressor",
        "LinearRegression",
    )
)
