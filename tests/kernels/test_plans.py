"""Plans: one a key, least recently used first to go, bounded in bytes."""

import threading

import numpy as np
import pytest

from tinycnn.kernels.plans import PlanCache, plan_bytes, plan_cache


def test_equal_arguments_share_one_plan():
    made = []

    @plan_cache
    def plan(shape, name):
        made.append(shape)
        return object()

    assert plan((1, 2), "a") is plan((1, 2), "a")
    assert plan((1, 2), "a") is not plan((1, 2), "b")
    assert made == [(1, 2), (1, 2)]


def test_an_argument_error_is_raised_each_time():
    @plan_cache
    def plan(value):
        raise ValueError(f"bad {value}")

    for _ in range(2):
        with pytest.raises(ValueError, match="bad 3"):
            plan(3)


def test_the_least_recently_used_plan_goes_first():
    cache = PlanCache(lambda key: np.zeros(1000, np.uint8), bytes_limit=3400)
    first, second, third = cache(1), cache(2), cache(3)
    assert cache(1) is first
    cache(4)
    assert len(cache) == 3
    assert cache(1) is first
    assert cache(3) is third
    assert cache(2) is not second


def test_a_plan_larger_than_the_bound_is_still_given():
    cache = PlanCache(lambda key: np.zeros(1000, np.uint8), bytes_limit=10)
    assert cache(1).size == 1000
    assert cache(2).size == 1000
    assert len(cache) == 1


def test_bytes_count_nested_arrays():
    class Plan:
        def __init__(self):
            self.table = np.zeros(500)
            self.parts = (np.zeros(500), [np.zeros(500)])

    assert 12_000 <= plan_bytes(Plan()) <= 13_000


def test_keyword_arguments_would_make_two_keys_of_one():
    @plan_cache
    def plan(value):
        return value

    with pytest.raises(TypeError, match="by position"):
        plan(value=1)


def test_clear_forgets():
    cache = plan_cache(lambda key: object())
    before = cache(1)
    cache.clear()
    assert len(cache) == 0
    assert cache(1) is not before


def test_threads_may_ask_at_once():
    cache = PlanCache(lambda key: np.zeros(100), bytes_limit=2000)

    def work():
        for key in range(300):
            cache(key % 7)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(cache) <= 7
