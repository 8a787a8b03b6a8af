"""Votes and stacks of fitted models."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression

from automlmodel.ensemble import (
    StackClassifier,
    StackRegressor,
    VotingClassifier,
    VotingRegressor,
    aligned,
    share_featurizers,
    stacked_features,
)

TABLE = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]})
NUMBERS = np.array([0.0, 1.0, 2.0, 3.0])
LABELS = np.array(["no", "no", "yes", "yes"])


class Doubler:
    """Makes features, and counts how often."""

    def __init__(self, factor=2):
        self.factor, self.asked = factor, 0

    def transform(self, X):
        self.asked += 1
        return X.to_numpy() * self.factor


class Member:
    """A model with a featurizer of its own."""

    def __init__(self, factor=2, classes=None):
        self.featurizer = Doubler(factor)
        if classes is not None:
            self.classes_ = np.array(classes)

    def predict_features(self, Z):
        return Z[:, 0]

    def predict_proba_features(self, Z):
        return np.column_stack([1 - Z[:, 0] / 10, Z[:, 0] / 10])


def constant(value):
    return DummyRegressor(strategy="constant", constant=value).fit(TABLE, NUMBERS)


def test_a_vote_of_numbers_is_their_weighted_mean():
    vote = VotingRegressor([constant(1.0), constant(5.0)], [3, 1])
    assert vote.predict(TABLE).tolist() == [2.0] * 4


def test_a_vote_of_classes_is_the_weighted_mean_of_probabilities():
    logistic = LogisticRegression().fit(TABLE, LABELS)
    prior = DummyClassifier(strategy="prior").fit(TABLE, LABELS)
    vote = VotingClassifier([logistic, prior], [0.5, 0.5], ["no", "yes"])
    expected = (logistic.predict_proba(TABLE) + 0.5) / 2
    assert vote.predict_proba(TABLE) == pytest.approx(expected)
    assert vote.predict(TABLE).tolist() == LABELS.tolist()
    assert vote.classes_.tolist() == ["no", "yes"]


def test_a_member_may_know_fewer_classes():
    few = DummyClassifier(strategy="prior").fit(TABLE, ["b"] * 4)
    vote = VotingClassifier([few], [1.0], ["a", "b", "c"])
    assert vote.predict_proba(TABLE)[0].tolist() == [0.0, 1.0, 0.0]


def test_columns_are_put_in_their_classes_places():
    found = aligned([[0.25, 0.75]], ["c", "a"], ["a", "b", "c"])
    assert found.tolist() == [[0.75, 0.0, 0.25]]


def test_a_stack_of_numbers_asks_its_meta_learner():
    members = [constant(1.0), LinearRegression().fit(TABLE, NUMBERS)]
    meta = LinearRegression()
    meta.coef_, meta.intercept_ = np.array([1.0, 2.0]), 0.5
    assert StackRegressor(members, meta).predict(TABLE) == pytest.approx(2 * NUMBERS + 1.5)


def test_a_stack_of_classes_gives_labels_and_probabilities():
    logistic = LogisticRegression().fit(TABLE, LABELS)
    members = [logistic, logistic]
    features = stacked_features([logistic.predict_proba(TABLE)] * 2)
    assert features.shape == (4, 2)
    meta = LogisticRegression().fit(features, [0, 0, 1, 1])
    stack = StackClassifier(members, meta, ["no", "yes"])
    assert stack.predict_proba(TABLE) == pytest.approx(meta.predict_proba(features))
    assert stack.predict(TABLE).tolist() == LABELS.tolist()


def test_log_odds_give_back_a_members_probability():
    probabilities = np.array([[0.2, 0.8], [1.0, 0.0]])
    odds = stacked_features([probabilities])[:, 0]
    assert 1 / (1 + np.exp(-odds)) == pytest.approx([0.8, 1e-6])


def test_equal_featurizers_are_asked_once():
    members = [Member(), Member(), Member(factor=3)]
    share_featurizers([*members, constant(1.0)])
    assert members[0].featurizer is members[1].featurizer
    assert members[0].featurizer is not members[2].featurizer
    vote = VotingRegressor(members, [1, 1, 2])
    assert vote.predict(TABLE) == pytest.approx(NUMBERS * 2.5)
    assert members[0].featurizer.asked == 1


def test_probabilities_of_shared_features():
    vote = VotingClassifier([Member(classes=["a", "b"])], [1.0], ["a", "b"])
    assert vote.predict_proba(TABLE)[:, 1] == pytest.approx(NUMBERS / 5)


def test_an_ensemble_can_be_pickled():
    vote = VotingRegressor([constant(1.0)], [1.0])
    assert pickle.loads(pickle.dumps(vote)).predict(TABLE).tolist() == [1.0] * 4
