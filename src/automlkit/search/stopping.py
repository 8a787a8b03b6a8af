"""When a trial, or a whole search, is given up early."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

#: Trials before the search may end for want of gain, and trials without gain that end it: Azure's
#: `enable_early_stopping` ("starts on the 21st iteration and looks for 10 iterations").
LANDMARKS = 20
WITHOUT_GAIN = 10
#: A trial goes on while it may be among so many best: that is what an ensemble chooses from.
WORTH_KNOWING = 10
#: Validation rows of a fold from which one fold is enough to judge by, else three.
ROWS_THAT_TELL = 2000


def has_stopped_gaining(losses: Sequence[float | None]) -> bool:
    """Tell whether the last `WITHOUT_GAIN` trials after the landmarks brought nothing better.

    Args:
        losses: Of trials in the order of their ends; None for one that failed.
    """
    if len(losses) < LANDMARKS + WITHOUT_GAIN:
        return False
    before = [loss for loss in losses[:-WITHOUT_GAIN] if loss is not None]
    recent = [loss for loss in losses[-WITHOUT_GAIN:] if loss is not None]
    return bool(before) and min(recent, default=float("inf")) >= min(before)


def is_hopeless(
    folds: Mapping[int, float], completed: Sequence[Sequence[float]], rows_a_fold: float
) -> bool:
    """Tell whether a trial's folds so far are all worse than the tenth best trial's.

    Args:
        folds: Losses of the folds that are done.
        completed: Losses of all folds of each completed trial.
        rows_a_fold: Validation rows of a fold.
    """
    enough = 1 if rows_a_fold >= ROWS_THAT_TELL else 3
    if len(folds) < enough or len(completed) < WORTH_KNOWING:
        return False
    tenth = sorted(completed, key=sum)[WORTH_KNOWING - 1]
    return all(loss > tenth[number] for number, loss in folds.items())
