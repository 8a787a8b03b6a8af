"""What is delivered: one trial, a vote, or a stack."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from automlkit.request import StackEnsemble, Training
from automlkit.search.choice import (
    CANDIDATES,
    META_LEARNERS,
    MOST_MS,
    choose,
    meta_learner,
    pool_of,
)
from automlkit.search.objective import root_mean_squared_error, weighted_auc_loss
from automlkit.search.selection import Truth
from automlkit.search.trials import Trial

ROWS = 400
BOTH = Training()


def trial(number, predictions, algorithm=None, predict_ms=1.0, rounds=1):
    return Trial(
        number,
        algorithm or f"A{number}",
        {},
        "Completed",
        predictions={n: np.asarray(predictions, np.float32) for n in range(rounds)},
        predict_ms=predict_ms,
    )


def truth(values, loss=root_mean_squared_error):
    return Truth(values, np.ones(len(values)), loss)


def drawn(count=3, noise=1.0, seed=0):
    random = np.random.default_rng(seed)
    values = random.normal(size=ROWS)
    return values, [values + noise * random.normal(size=ROWS) for _ in range(count)]


def test_independent_errors_make_an_ensemble():
    values, predictions = drawn()
    trials = [trial(number, one) for number, one in enumerate(predictions)]
    choice = choose(trials, [truth(values)], BOTH, 0)
    assert {one.algorithm for one in choice.ensembles} == {"VotingEnsemble", "StackEnsemble"}
    assert choice.chosen is not None
    assert len(choice.members) == 3
    assert "above the noise" in choice.reason


def test_copies_make_none():
    values, (first, *_) = drawn(noise=0.05)
    choice = choose([trial(0, first), trial(1, first)], [truth(values)], BOTH, 0)
    assert choice.chosen is None
    assert choice.members == ((choice.trial, 1.0),)


def test_a_gain_within_the_noise_leaves_the_best_trial():
    values, (first, *_) = drawn(noise=0.05)
    # Far worse, and no help.
    random = np.random.default_rng(9)
    trials = [trial(0, first), trial(1, first + 0.03 * random.normal(size=ROWS))]
    choice = choose(trials, [truth(values)], BOTH, 0)
    assert choice.chosen is None
    assert "the best trial (A0) is delivered" in choice.reason


def test_ensembles_that_are_not_wanted_are_not_made():
    values, predictions = drawn()
    trials = [trial(number, one) for number, one in enumerate(predictions)]
    neither = Training(enable_vote_ensemble=False, enable_stack_ensemble=False)
    assert choose(trials, [truth(values)], neither, 0).ensembles == []
    vote = choose(trials, [truth(values)], Training(enable_stack_ensemble=False), 0)
    assert [one.algorithm for one in vote.ensembles] == ["VotingEnsemble"]


def test_one_trial_needs_no_judgement():
    values, (first, *_) = drawn(noise=0.05)
    choice = choose([trial(0, first)], [truth(values)], BOTH, 0)
    assert (choice.trial.number, choice.ensembles) == (0, ())


def test_probabilities_are_stacked_too():
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, ROWS)
    trials = []
    for number in range(3):
        score = 1 / (1 + np.exp(-(2 * labels - 1 + 1.5 * random.normal(size=ROWS))))
        trials.append(trial(number, np.column_stack([1 - score, score])))
    choice = choose(trials, [truth(labels, weighted_auc_loss)], BOTH, 0)
    stack = next(one for one in choice.ensembles if one.algorithm == "StackEnsemble")
    assert stack.predictions.sum(axis=1) == pytest.approx(np.ones(ROWS))
    assert choice.chosen is not None


def test_judgement_rests_on_all_rounds():
    values, predictions = drawn()
    trials = [trial(n, one, rounds=2 if n else 1) for n, one in enumerate(predictions * 2)]
    choice = choose(trials, [truth(values), truth(values)], BOTH, 0)
    assert choice.rounds == 2
    assert choice.trial.number == 1
    assert all(len(one.predictions) == 2 * ROWS for one in choice.ensembles)


def test_few_repeated_trials_are_no_pool():
    _, predictions = drawn(4)
    trials = [trial(n, one, rounds=2 if n < 2 else 1) for n, one in enumerate(predictions)]
    pool, rounds = pool_of(trials)
    assert (len(pool), rounds) == (4, 1)


def test_the_last_round_counts_that_enough_trials_have():
    _, predictions = drawn(4)
    rounds = [3, 2, 2, 1]
    trials = [trial(n, one, rounds=rounds[n]) for n, one in enumerate(predictions)]
    pool, count = pool_of(trials)
    assert ([one.number for one in pool], count) == ([0, 1, 2], 2)


def test_slow_trials_are_left_out_unless_all_are_slow():
    _, predictions = drawn(2)
    slow, quick = trial(0, predictions[0], predict_ms=MOST_MS + 1), trial(1, predictions[1])
    assert pool_of([slow, quick])[0] == [quick]
    assert pool_of([slow])[0] == [slow]


def test_the_pool_has_the_best_and_one_of_each_learner():
    _, (first,) = drawn(1)
    trials = [trial(n, first, "Many") for n in range(CANDIDATES + 5)]
    trials.append(trial(99, first, "Late"))
    numbers = [one.number for one in pool_of(trials)[0]]
    assert numbers == [*range(CANDIDATES), 99]


def test_meta_learners_by_azures_names():
    assert isinstance(
        meta_learner(StackEnsemble(), is_classification=True, seed=0), LogisticRegression
    )
    assert isinstance(
        meta_learner(StackEnsemble(), is_classification=False, seed=0), LinearRegression
    )
    told = StackEnsemble("LogisticRegression", stack_meta_learner_kwargs={"C": 7.0})
    assert meta_learner(told, is_classification=True, seed=0).C == 7.0
    for name in META_LEARNERS:
        is_class = "Class" in name or "Logistic" in name
        meta_learner(StackEnsemble(name), is_classification=is_class, seed=0)
    with pytest.raises(ValueError, match="no meta-learner named 'Magic'"):
        meta_learner(StackEnsemble("Magic"), is_classification=True, seed=0)
