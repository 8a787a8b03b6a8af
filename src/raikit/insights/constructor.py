"""The constructor: finds the model, and brings it and its tables together."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from raikit.insights.given import given_metadata, given_model
from raikit.insights.store import Insights, construct, read_subject


def run(args: argparse.Namespace) -> str:
    """Write the folder that tools read; return what it is about, in a line.

    Raises:
        StepError: The model or a table cannot be had, or it is about forecasts.
    """
    known = given_metadata(args)
    identity = known.get("identity_feature_name") or ()
    insights = Insights(
        title=args.title,
        task=args.task_type,
        target=args.target_column_name,
        categorical=[
            *(args.categorical_column_names or ()),
            *(known.get("categorical_features") or ()),
        ],
        classes=[str(each) for each in args.classes or ()],
        dropped=list(known.get("dropped_features") or ()),
        identity=[identity] if isinstance(identity, str) else list(identity),
    )
    with tempfile.TemporaryDirectory() as scratch:
        model = given_model(args, Path(scratch))
        made = construct(
            args.output,
            insights,
            model,
            args.train_dataset,
            args.test_dataset,
            args.maximum_rows_for_test_dataset,
        )
    subject = read_subject(args.output)  # a model that does not load here is told of now
    return (
        f"{made.title}: {made.task} of {made.target} by {len(subject.model.features)} columns, "
        f"{len(subject.train)} training and {len(subject.test)} of {made.test_rows} test rows"
    )
