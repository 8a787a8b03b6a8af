"""From columns and the user's wishes to a featurizer, one flavor for each kind of learner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from automlkit.columns import Column
from automlkit.request import Featurization
from automlmodel.encoders import (
    CategoryCodes,
    Dates,
    Encoder,
    HashOneHot,
    Numbers,
    OneHot,
    TargetMeans,
    Texts,
)
from automlmodel.featurizer import Completion, Featurizer
from stepkit.program import StepError

Flavor = Literal["trees", "linear", "splines", "ebm"]

#: Categories that trees tell apart in a column; HistGradientBoosting has 255 bins.
MOST_CODES = 250
#: Categories of a column that get an indicator each, and rows that each must have.
MOST_INDICATORS, LEAST_INDICATOR_ROWS = 100, 2
#: Knots of a number's spline.
KNOTS = 6
#: Dimensions that words, and character triples, of a text column are brought down to.
TEXT_DIMENSIONS = {"trees": 30, "ebm": 10, "linear": 60, "splines": 30}
#: More classes than this get no target means: one feature a class would be too many.
MOST_MEAN_CLASSES = 10

#: Azure's names of transformers that can be blocked, and those that take parameters.
BLOCKABLE = (
    *("HashOneHotEncoder", "LabelEncoder", "CatTargetEncoder", "WoETargetEncoder"),
    *("OneHotEncoder", "CountVectorizer", "NaiveBayes", "TextTargetEncoder", "TfIdf"),
    "WordEmbedding",
)
ADJUSTABLE = ("HashOneHotEncoder", "Imputer", "TfIdf")
STRATEGIES = ("mean", "median", "most_frequent", "constant")


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


class Wishes:
    """What the user said of transformers, checked.

    Args:
        featurization: The request's.

    Raises:
        StepError: A transformer cannot be blocked or adjusted, or a parameter is unknown.

    Attributes:
        blocked: Azure's names of transformers not to be used.
        imputers: By column, what stands for missing values; under "" for all others.
        hash_bits: By column, the bits of its hashes; under "" for all others.
        text_options: By column, options of the words' vectorizer; under "" for all others.
    """

    def __init__(self, featurization: Featurization) -> None:
        self.blocked: set[str] = set()
        self.imputers: dict[str, Any] = {}
        self.hash_bits: dict[str, int] = {}
        self.text_options: dict[str, dict[str, Any]] = {}
        if featurization.mode == "off":
            _nothing_given(featurization)
        for name in featurization.blocked_transformers:
            self.blocked.add(_known(name, BLOCKABLE, "blocked_transformers"))
        for name, entries in featurization.transformer_params.items():
            transformer = _known(name, ADJUSTABLE, "transformer_params")
            for entry in entries:
                parameters = dict(entry.get("parameters") or {})
                for field in entry.get("fields") or [""]:
                    self._take(transformer, str(field), parameters)

    def _take(self, transformer: str, field: str, parameters: dict[str, Any]) -> None:
        if transformer == "Imputer":
            self.imputers[field] = _strategy(parameters)
        elif transformer == "HashOneHotEncoder":
            bits = parameters.get("number_of_bits", 0)
            if set(parameters) != {"number_of_bits"} or bits not in range(1, 17):
                raise StepError(
                    f"HashOneHotEncoder takes number_of_bits from 1 to 16, not {parameters}"
                )
            self.hash_bits[field] = int(bits)
        else:
            self.text_options[field] = _text_options(parameters)


def _nothing_given(featurization: Featurization) -> None:
    for field in ("blocked_transformers", "column_name_and_types", "transformer_params"):
        if getattr(featurization, field):
            raise StepError(
                f"featurization is off, so its {field} would do nothing",
                hint="set featurization.mode: custom, or leave them out",
            )


def _known(name: str, known: Sequence[str], where: str) -> str:
    for candidate in known:
        if _plain(candidate) == _plain(name):
            return candidate
    raise StepError(
        f"featurization.{where} names {name!r}, which cannot stand there",
        hint=f"names that can: {', '.join(known)}",
    )


def _strategy(parameters: dict[str, Any]) -> str | float:
    strategy = parameters.get("strategy")
    if strategy not in STRATEGIES or set(parameters) - {"strategy", "fill_value"}:
        raise StepError(
            f"Imputer cannot take {parameters}",
            hint=f"strategy: {', '.join(STRATEGIES)} (constant with fill_value)",
        )
    if strategy != "constant":
        return str(strategy)
    fill = parameters.get("fill_value")
    if isinstance(fill, bool) or not isinstance(fill, int | float):
        raise StepError("Imputer with strategy constant needs a number as fill_value")
    return float(fill)


def _text_options(parameters: dict[str, Any]) -> dict[str, Any]:
    known = {"analyzer", "ngram_range", "max_df", "min_df", "max_features", "use_idf", "norm"}
    if odd := set(parameters) - known:
        raise StepError(
            f"TfIdf takes no {', '.join(sorted(odd))} here", hint=f"it takes: {', '.join(known)}"
        )
    if "ngram_range" in parameters:
        return {**parameters, "ngram_range": tuple(parameters["ngram_range"])}
    return parameters


def make_featurizer(
    columns: Sequence[Column],
    featurization: Featurization,
    flavor: Flavor,
    *,
    class_count: int = 0,
    seed: int = 0,
) -> Featurizer:
    """Return the unfitted featurizer of a flavor.

    Args:
        columns: What `purposes` found.
        featurization: The request's.
        flavor: `trees`: numbers of categories, and NaN where a value is missing. `linear`: one-hot,
            imputed, with flags, scaled. `splines`: as linear, and numbers bent. `ebm`: as trees.
        class_count: Classes of the target; 0 where it is a quantity.
        seed: Of folds for target means, and of text dimensions.

    Raises:
        StepError: The user's wishes cannot be followed, or leave no feature.
    """
    wishes = Wishes(featurization)
    numbers = [c.name for c in columns if _is_plain_number(c)]
    strategies = {name: wishes.imputers[name] for name in numbers if name in wishes.imputers}
    encoders: list[Encoder] = [Numbers(numbers, strategies)] if numbers else []
    for column in columns:
        encoders += _encoders(column, wishes, flavor, class_count, seed)
    if not encoders:
        raise StepError("no feature is left to learn from", hint="block fewer transformers")
    completion = None
    if flavor in ("linear", "splines"):
        completion = Completion(
            wishes.imputers.get("", "mean"),
            markers=featurization.mode != "off",
            knots=KNOTS if flavor == "splines" else 0,
        )
    return Featurizer(encoders, completion, class_count)


def _is_plain_number(column: Column) -> bool:
    if column.purpose == "Numeric":
        return True
    # Linear models get an ordered category both ways: few values may lie on a line or not.
    return column.purpose == "Categorical" and column.is_ordered


def _encoders(
    column: Column, wishes: Wishes, flavor: Flavor, class_count: int, seed: int
) -> list[Encoder]:
    if column.purpose == "DateTime":
        return [Dates(column.name)]
    if column.purpose == "Text":
        if "TfIdf" in wishes.blocked:
            return []
        options = wishes.text_options.get(column.name, wishes.text_options.get("", {}))
        return [Texts(column.name, TEXT_DIMENSIONS[flavor], seed, options)]
    if column.purpose not in ("Categorical", "CategoricalHash"):
        return []
    if column.is_ordered and flavor in ("trees", "ebm"):
        return []
    return _category_encoders(column, wishes, flavor, class_count, seed)


def _category_encoders(
    column: Column, wishes: Wishes, flavor: Flavor, class_count: int, seed: int
) -> list[Encoder]:
    name, blocked = column.name, wishes.blocked
    is_many = column.purpose == "CategoricalHash"
    bits = wishes.hash_bits.get(name, wishes.hash_bits.get(""))
    if is_many and bits and "HashOneHotEncoder" not in blocked:
        return [HashOneHot(name, bits)]
    encoders: list[Encoder] = []
    if flavor in ("trees", "ebm") and "LabelEncoder" not in blocked:
        encoders.append(CategoryCodes(name, MOST_CODES))
    elif "OneHotEncoder" not in blocked:
        encoders.append(OneHot(name, MOST_INDICATORS, LEAST_INDICATOR_ROWS))
    has_means = "CatTargetEncoder" not in blocked and class_count <= MOST_MEAN_CLASSES
    if has_means and (is_many or not encoders):
        encoders.append(TargetMeans(name, seed))
    return encoders


#: What stands in the featurization summary for each encoder, by Azure's names.
TRANSFORMER_NAMES = {
    Numbers: "Imputer",
    CategoryCodes: "LabelEncoder",
    OneHot: "OneHotEncoder",
    HashOneHot: "HashOneHotEncoder",
    TargetMeans: "CatTargetEncoder",
    Dates: "DateTimeTransformer",
    Texts: "TfIdf",
}


def featurization_rows(columns: Sequence[Column], featurizer: Featurizer) -> list[dict[str, Any]]:
    """Return what became of each column, as the `setup` event says it.

    Args:
        columns: What `purposes` found.
        featurizer: A fitted one.
    """
    transformers: dict[str, list[str]] = {column.name: [] for column in columns}
    features = dict.fromkeys(transformers, 0)
    for encoder in featurizer.encoders:
        each = len(encoder.names) // len(encoder.columns)
        for name in encoder.columns:
            transformers[name].append(TRANSFORMER_NAMES[type(encoder)])
            features[name] += each
    return [
        {
            "column": column.name,
            "purpose": column.purpose,
            "why": column.why,
            "transformers": transformers[column.name],
            "features": features[column.name],
        }
        for column in columns
    ]
