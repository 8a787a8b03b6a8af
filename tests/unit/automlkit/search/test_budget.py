"""What time there is, with a clock of its own."""

import time

from automlkit.search.budget import CLOSING, Budget


def test_no_limit_has_no_end():
    budget = Budget(None, 0.0, lambda: 1e9)
    assert budget.search_end(100) == float("inf")
    assert budget.first_trial_seconds() == float("inf")
    assert budget.left() == float("inf")


def test_the_end_is_kept_free_for_fitting_and_closing():
    budget = Budget(200.0, 1000.0, lambda: 1100.0)
    assert budget.left() == 100
    assert budget.search_end(0) == 1200 - CLOSING - budget.explaining
    assert budget.search_end(10) == budget.search_end(0) - 13


def test_slow_models_do_not_take_the_whole_time():
    budget = Budget(200.0, 0.0, lambda: 0.0)
    assert budget.search_end(1e6) == budget.search_end(0) - 0.25 * 200


def test_half_of_a_short_time_is_for_trials():
    assert Budget(6.0, 0.0, lambda: 0.0).search_end(5) == 3.0


def test_the_time_before_the_search_counts():
    budget = Budget.of_this_process(10.0)
    assert budget.left() < 10.0
    assert budget.start <= time.monotonic()
