"""Which blocks become one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.mirror import merge
from experiments.mirror.events import BLOCK_RECORDS
from experiments.mirror.merge import FANOUT, group_to_merge
from experiments.models import MetricBlock
from tests.metric_factories import add_block, make_metric_run


def merge_all(counts: list[int], *, run_has_ended: bool) -> list[int]:
    while group := group_to_merge(counts, run_has_ended=run_has_ended):
        start, end = group
        counts = [*counts[:start], sum(counts[start:end]), *counts[end:]]
    return counts


@given(st.lists(st.integers(min_value=1, max_value=BLOCK_RECORDS), max_size=80))
def test_an_ended_run_has_no_two_neighbours_that_fit_into_one_block(counts: list[int]):
    merged = merge_all(counts, run_has_ended=True)

    assert sum(merged) == sum(counts)
    assert all(count <= BLOCK_RECORDS for count in merged)
    assert all(a + b > BLOCK_RECORDS for a, b in pairwise(merged))


@given(st.lists(st.integers(min_value=1, max_value=300), max_size=400))
def test_blocks_of_a_live_run_stay_few_whatever_arrives(arrivals: list[int]):
    counts: list[int] = []
    for count in arrivals:
        counts = merge_all([*counts, count], run_has_ended=False)

    assert sum(counts) == sum(arrivals)
    assert len(counts) <= 4 * FANOUT + sum(arrivals) // (BLOCK_RECORDS // 2)


def test_every_record_is_rewritten_about_four_times_at_most():
    counts: list[int] = []
    written = 0
    for _ in range(100_000):
        counts.append(1)
        written += 1
        while group := group_to_merge(counts, run_has_ended=False):
            start, end = group
            counts = [*counts[:start], sum(counts[start:end]), *counts[end:]]
            written += counts[start]

    assert written / 100_000 == pytest.approx(4.5, abs=1.0)


@pytest.mark.django_db(databases=["index"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_that_is_purged_while_its_blocks_are_read_gets_none_again(monkeypatch, moment: str):
    run = make_metric_run()
    for step in range(2):
        add_block(run, [{"global_step": step, "loss": 0.5}])
    key, read = run.pk, merge._read

    def read_while_it_is_purged(block_keys):
        if moment == "before":
            run.delete()
        found = read(block_keys)
        if moment == "after":
            run.delete()
        return found

    monkeypatch.setattr(merge, "_read", read_while_it_is_purged)
    merged = merge.merge_blocks(key, run_has_ended=True)

    assert (merged, MetricBlock.objects.count()) == (False, 0)
