"""When trials and searches are given up."""

from automlkit.search.stopping import has_stopped_gaining, is_hopeless


def test_a_search_goes_on_for_thirty_trials():
    assert not has_stopped_gaining([1.0] * 29)
    assert has_stopped_gaining([1.0] * 30)


def test_a_gain_among_the_last_ten_keeps_it_going():
    assert not has_stopped_gaining([1.0] * 25 + [0.9] + [1.0] * 4)
    assert has_stopped_gaining([1.0] * 25 + [0.9] + [1.0] * 10)


def test_failures_are_no_gain():
    assert has_stopped_gaining([1.0] * 20 + [None] * 10)
    assert not has_stopped_gaining([None] * 40)


def ten(folds):
    return [[number / 10] * folds for number in range(1, 11)]


def test_a_trial_that_the_tenth_best_beats_on_every_fold_is_hopeless():
    assert is_hopeless({0: 1.5, 1: 1.5, 2: 1.5}, ten(10), rows_a_fold=50)
    assert not is_hopeless({0: 1.5, 1: 0.9, 2: 1.5}, ten(10), rows_a_fold=50)


def test_few_folds_of_few_rows_do_not_tell():
    assert not is_hopeless({0: 9.0, 1: 9.0}, ten(10), rows_a_fold=50)
    assert is_hopeless({0: 9.0}, ten(3), rows_a_fold=5000)


def test_few_completed_trials_do_not_tell():
    assert not is_hopeless({0: 9.0, 1: 9.0, 2: 9.0}, ten(3)[:9], rows_a_fold=5000)
