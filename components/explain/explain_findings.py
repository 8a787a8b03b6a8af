"""What an explanation found, as sections for a reader, plain words first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from explain_details import (
    MOST_BARS,
    in_a_nutshell,
    listed,
    own_terms,
    percent,
    single_rows,
    what_columns_do,
)

from raikit.explanation.documents import importance_rows
from raikit.explanation.explain import Explanation
from raikit.explanation.shapley import METHODS
from stepkit.findings import Bars, Block, Cell, Section, Table

#: Rank correlations of SHAP and permutation importance from here on are good.
AGREES = 0.7


def sections_of(explanation: Explanation) -> list[Section]:
    """Return the sections in the order to be read in."""
    found = [
        what_matters(explanation),
        how_far_to_trust(explanation),
        what_columns_do(explanation),
        single_rows(explanation),
        in_a_nutshell(explanation),
    ]
    return [*found, own_terms(explanation)] if explanation.terms else found


def summary(explanation: Explanation) -> str:
    """Return what matters most, in a sentence."""
    rows = importance_rows(explanation)[:3]
    named = listed([f"{each['column']} ({percent(each['share'])})" for each in rows])
    return f"what moves the predictions most: {named}"


def what_matters(explanation: Explanation) -> Section:
    """Return the section on the columns' importance."""
    rows, importance = importance_rows(explanation), explanation.importance
    shown = rows[:MOST_BARS]
    no_loss = [each["column"] for each in rows if each["permutation_low"] <= 0]
    said = summary(explanation)
    words = [
        f"{said[0].upper()}{said[1:]}. The share is each column's part of all the pushing up "
        f"and down that the model does over {len(explanation.shap.values):,} test rows.",
        "The first bars tell how far a column moves predictions, whether rightly or not. The "
        f"second tell what the model's {importance.metric} loses when the column's values are "
        "shuffled among the rows: how much its being right rests on the column.",
        *_directions(rows, explanation),
    ]
    if no_loss:
        words.append(
            f"Shuffling {listed(no_loss)} costs nothing that can be told from chance: the model "
            "would do about as well without, or another column tells the same."
        )
    names = [each["column"] for each in shown]
    unit = explanation.subject.unit_in_words(explanation.shap.unit)
    return Section(
        "What the model looks at",
        words,
        [
            Bars(
                names,
                [each["shap"] for each in shown],
                f"mean size of contributions ({unit})",
                [each["shap_low"] for each in shown],
                [each["shap_high"] for each in shown],
                f"SHAP: {METHODS[explanation.shap.method]}; lines are 95 % intervals",
            ),
            Bars(
                names,
                [each["permutation"] for each in shown],
                f"loss of {importance.metric} when shuffled",
                [each["permutation_low"] for each in shown],
                [each["permutation_high"] for each in shown],
                f"Permutation importance on {importance.rows:,} test rows, "
                f"{importance.drops.shape[1]} times; lines are 95 % intervals",
            ),
            _importance_table(rows, explanation),
        ],
    )


def _directions(rows: Sequence[Mapping[str, object]], explanation: Explanation) -> list[str]:
    told = {each["column"]: each["direction"] for each in rows[:MOST_BARS]}
    up = [str(name) for name, way in told.items() if isinstance(way, float) and way > 0.5]
    down = [str(name) for name, way in told.items() if isinstance(way, float) and way < -0.5]
    output = explanation.subject.outputs[0]
    words = []
    if up:
        words.append(f"Greater values of {listed(up)} mostly go with a higher {output}.")
    if down:
        words.append(f"Greater values of {listed(down)} mostly go with a lower {output}.")
    if explanation.subject.positive is not None:
        words = [
            each.replace("higher", "higher chance of").replace("lower", "lower chance of")
            for each in words
        ]
    return [" ".join(words)] if words else []


def _importance_table(rows: Sequence[Mapping[str, object]], explanation: Explanation) -> Table:
    ways = list(explanation.agreement.ways)[2:]
    lost = f"loss of {explanation.importance.metric}"
    head = ["column", "contribution", "share", lost, "low", "high", *ways]
    body: list[list[Cell]] = []
    for each in rows:
        keys = ("column", "shap", "share", "permutation", "permutation_low", "permutation_high")
        cells = [each[key] for key in (*keys, *(way.replace(" ", "_") for way in ways))]
        body.append([cell if isinstance(cell, str | float) else None for cell in cells])
    formats = {
        "contribution": ".4g",
        "share": ".1%",
        **dict.fromkeys((lost, "low", "high"), ".4f"),
        **dict.fromkeys(ways, ".3g"),
    }
    return Table(head, body, formats, "Every column", "contribution")


def how_far_to_trust(explanation: Explanation) -> Section:
    """Return the section on how far the methods agree."""
    agreement, shap = explanation.agreement, explanation.shap
    first = agreement.pairs[0]
    value = first.correlation
    words = [
        f"SHAP and shuffling agree {agreement.words} on what matters"
        + (
            f" (rank correlation {value:.2f}; 1 is the same order, 0 is none)"
            if value is not None
            else ""
        )
        + f", and {round(first.overlap * agreement.top)} of their top {agreement.top} columns are "
        "the same. There is no one right way to tell what matters to a model, so several are "
        "compared; where they disagree on a column, say no more of it than that it plays a part.",
        f"Contributions add up to what the model says of each row, but for "
        f"{shap.additivity_error:.1e} of the spread of its scores ({METHODS[shap.method]})."
        + (f" Why this way: {shap.note}." if shap.note else ""),
    ]
    blocks: list[Block] = [
        Table(
            ("one way", "another", "rank correlation", f"same of the top {agreement.top}"),
            [(pair.first, pair.second, pair.correlation, pair.overlap) for pair in agreement.pairs],
            {"rank correlation": ".2f", f"same of the top {agreement.top}": ".0%"},
            "How far the ways agree",
        )
    ]
    if explanation.associations:
        pairs = explanation.associations
        words.append(
            f"{pairs[0].first} and {pairs[0].second}"
            + (f", and {len(pairs) - 1} other pairs of columns," if len(pairs) > 1 else "")
            + " tell much of the same. The model can lean on either, so the importance of one is "
            "partly the other's, and shuffling only one of them looks too harmless."
        )
        blocks.append(
            Table(
                ("column", "and column", "association"),
                [(pair.first, pair.second, pair.strength) for pair in pairs],
                {"association": ".2f"},
                "Columns that tell much of the same (0 is nothing in common, 1 is all)",
                "association",
            )
        )
    good = value is not None and value >= AGREES
    return Section("How far to trust this", words, blocks, "good" if good else "warning")
