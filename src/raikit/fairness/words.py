"""What the comparison of groups found, in plain words."""

from __future__ import annotations

from collections.abc import Sequence

from raikit.fairness.compared import (
    ODDS_LIMIT,
    RATIO_LIMIT,
    Compared,
    enough_rows,
    is_below,
)
from raikit.fairness.measures import Gap


def paragraphs(
    compared: Sequence[Compared], rows: int, said: Sequence[str], min_rows: int
) -> list[str]:
    """Return what was looked at, what came out, and what it means."""
    positive = compared[0].positive
    if positive:
        opening = (
            f"Does the model treat groups of people alike? For each group it was counted how often "
            f"the model says {positive}, and how often that is right and wrong, on {rows:,} test "
            "rows. Groups can differ for good reasons; the figures say that they do, not why, and "
            "whether that is fair is for people to judge. As a first mark, US employment law asks "
            "why where one group is chosen less than four fifths (0.8 times) as often as another; "
            f"differences in errors beyond {100 * ODDS_LIMIT:.0f} points are called much here."
        )
    else:
        opening = (
            "Does the model treat groups of people alike? For each group it was measured how far "
            f"predictions miss, and in which direction, on {rows:,} test rows."
        )
    tell = _decisions if positive else _quantities
    results = [tell(each) for each in compared if each.gaps and not each.is_crossed]
    found = [*results[:1], opening, " ".join(said), *results[1:]]
    crossed = [each for each in compared if each.gaps and each.is_crossed]
    if crossed and positive:
        found.append(_intersections(crossed))
    found += _small(compared, min_rows)
    return [text for text in found if text]


def _decisions(compared: Compared) -> str:
    parity, ratio, odds, chance = (
        compared.gap(name)
        for name in (
            "demographic_parity_difference",
            "demographic_parity_ratio",
            "equalised_odds_difference",
            "equal_opportunity_difference",
        )
    )
    rates = _by_label(compared, "selection_rate")
    found = _by_label(compared, "true_positive_rate")
    text = (
        f"By {compared.name}: the model says {compared.positive} for {rates[parity.lowest]:.1%} of "
        f"{parity.lowest} and for {rates[parity.highest]:.1%} of {parity.highest}"
    )
    if ratio.low is not None and ratio.high is not None:
        text += (
            f", that is {ratio.value:.2f} times as often (likely {ratio.low:.2f} to "
            f"{ratio.high:.2f}: {_against_limit(ratio)})"
        )
    return (
        f"{text}. Of those who truly are {compared.positive}, it finds {found[chance.lowest]:.1%} "
        f"of {chance.lowest} and {found[chance.highest]:.1%} of {chance.highest}. In how often it "
        f"is wrong about them, groups differ by up to {100 * odds.value:.0f} points (likely "
        f"{100 * (odds.low or 0):.0f} to {100 * (odds.high or 1):.0f}: {_against_odds(odds)})."
    )


def _against_limit(ratio: Gap) -> str:
    if is_below(ratio):
        return "less than four fifths"
    if ratio.low is not None and ratio.low >= RATIO_LIMIT:
        return "within four fifths"
    return "too few rows to tell whether it is four fifths"


def _against_odds(odds: Gap) -> str:
    if odds.low is not None and odds.low > ODDS_LIMIT:
        return "much"
    if odds.high is not None and odds.high <= ODDS_LIMIT:
        return "little"
    return "too few rows to tell whether it is much"


def _by_label(compared: Compared, figure: str) -> dict[str, float]:
    labels = compared.measured.grouping.labels
    return dict(zip(labels, map(float, compared.measured.values[figure]), strict=True))


def _quantities(compared: Compared) -> str:
    error, bias = compared.gap("mae_difference"), compared.gap("bias_difference")
    errors, biases = _by_label(compared, "mae"), _by_label(compared, "bias")
    form = compared.form
    text = (
        f"By {compared.name}: predictions miss by {errors[error.lowest]:{form}} on average for "
        f"{error.lowest}, and by {errors[error.highest]:{form}} for {error.highest}. They are "
        f"{_direction(biases[bias.lowest], form)} for {bias.lowest}, and "
        f"{_direction(biases[bias.highest], form)} for {bias.highest}; the difference of "
        f"{bias.value:{form}} "
    )
    if bias.low is not None and bias.low > 0:
        return text + f"is beyond chance (likely {bias.low:{form}} to {bias.high:{form}})."
    return text + "may be chance."


def _direction(bias: float, form: str) -> str:
    if bias == 0:
        return "neither too high nor too low"
    return f"{abs(bias):{form}} too {'high' if bias > 0 else 'low'}"


def _intersections(crossed: Sequence[Compared]) -> str:
    worst = max(crossed, key=lambda each: each.gap("equalised_odds_difference").value)
    odds = worst.gap("equalised_odds_difference")
    return (
        "Who belongs to two groups may fare worse than either. Of all pairs of columns the groups "
        f"of {worst.name} differ most in how often the model is wrong: by up to "
        f"{100 * odds.value:.0f} points (likely {100 * (odds.low or 0):.0f} to "
        f"{100 * (odds.high or 1):.0f}), between {odds.lowest} and {odds.highest}."
    )


def _small(compared: Sequence[Compared], min_rows: int) -> list[str]:
    found = []
    for each in compared:
        if not each.small or each.is_crossed:
            continue
        found.append(
            f"Of {each.name}, too few rows to compare (fewer than {enough_rows(each, min_rows)}): "
            f"{', '.join(each.small)}. They are in the table, but in no difference: what the model "
            "does to them is not known."
        )
    return found
