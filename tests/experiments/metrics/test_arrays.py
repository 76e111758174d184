"""What the cache of arrays reads and keeps: experiments/metrics/arrays.py."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from experiments.metrics import arrays
from experiments.metrics.cache import ByteBoundedCache
from experiments.models import MetricBlock, MetricKey
from tests.metric_factories import add_block, make_metric_run, merge_blocks


def _records(start: int, count: int) -> list[dict[str, float]]:
    return [{"global_step": step, "time": float(step), "loss": step / 2} for step in range(start, start + count)]


@pytest.mark.django_db(databases=["index"])
def test_a_second_read_of_the_same_run_asks_only_for_the_list_of_blocks(django_assert_num_queries):
    run = make_metric_run()
    add_block(run, _records(0, 10))
    add_block(run, _records(10, 5), large=True)
    key = MetricKey.objects.get(name="loss").pk
    arrays.load_run(run.pk, key_pks=[key])

    with django_assert_num_queries(1, using="index"):
        again = arrays.load_run(run.pk, key_pks=[key])

    assert again.columns[key].values.tolist() == [step / 2 for step in range(15)]


@pytest.mark.django_db(databases=["index"])
def test_only_new_blocks_are_read_when_a_run_has_grown(monkeypatch):
    run = make_metric_run()
    add_block(run, _records(0, 10))
    before = arrays.load_run(run.pk)
    add_block(run, _records(10, 3))
    decoded = []
    decode = arrays.block_format.decode_axes
    monkeypatch.setattr(arrays.block_format, "decode_axes", lambda blob, n: decoded.append(n) or decode(blob, n))

    after = arrays.load_run(run.pk)

    assert decoded == [3]
    assert after.steps.tolist() == list(range(13))
    assert before.steps.tolist() == list(range(10))


@pytest.mark.django_db(databases=["index"])
def test_merged_blocks_are_read_again_from_the_merge_on(monkeypatch):
    run = make_metric_run()
    for start in (0, 10, 20):
        add_block(run, _records(start, 10))
    arrays.load_run(run.pk)
    merge_blocks(run, first=1, count=2)
    decoded = []
    decode = arrays.block_format.decode_axes
    monkeypatch.setattr(arrays.block_format, "decode_axes", lambda blob, n: decoded.append(n) or decode(blob, n))

    after = arrays.load_run(run.pk)

    assert decoded == [20]
    assert after.steps.tolist() == list(range(30))


@pytest.mark.django_db(databases=["index"])
def test_a_run_that_was_ingested_anew_shows_nothing_of_its_old_records():
    run = make_metric_run()
    add_block(run, _records(0, 10))
    arrays.load_run(run.pk)
    MetricBlock.objects.all().delete()
    add_block(run, [{"global_step": 1, "acc": 0.5}])

    after = arrays.load_run(run.pk)

    assert after.steps.tolist() == [1]
    assert [column.values.tolist() for column in after.columns.values()] == [[0.5]]


@pytest.mark.django_db(databases=["index"])
def test_a_merge_between_two_reads_is_noticed_and_read_again(monkeypatch):
    run = make_metric_run()
    add_block(run, _records(0, 10))
    add_block(run, _records(10, 10))
    read_columns = arrays._Reading._read_columns
    merged = []

    def merge_first(*arguments):
        if not merged:
            merged.append(merge_blocks(run, first=0, count=2))
        return read_columns(*arguments)

    monkeypatch.setattr(arrays._Reading, "_read_columns", merge_first)

    loaded = arrays.load_run(run.pk)

    assert merged
    assert loaded.steps.tolist() == list(range(20))
    (column,) = loaded.columns.values()
    assert column.values.tolist() == [step / 2 for step in range(20)]


@pytest.mark.django_db(databases=["index"], transaction=True)
def test_what_several_threads_read_at_once_stays_as_they_read_it_while_the_run_grows():
    run = make_metric_run()
    snapshots = []

    def read(_):
        try:
            return arrays.load_run(run.pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        for start in range(0, 200, 10):
            add_block(run, _records(start, 10))
            snapshots += [(start + 10, loaded) for loaded in pool.map(read, range(8))]

    for count, loaded in snapshots:
        (column,) = loaded.columns.values()
        assert loaded.steps.tolist() == list(range(count))
        assert column.values.tolist() == [step / 2 for step in range(count)]


class _Item:
    def __init__(self, nbytes: int) -> None:
        self.nbytes = nbytes


def test_the_cache_drops_what_was_used_longest_ago_to_stay_within_its_bytes():
    cache: ByteBoundedCache[_Item] = ByteBoundedCache(100)
    for place in (1, 2):
        cache.put((place, 0), _Item(40))
    cache.get((1, 0))

    cache.put((3, 0), _Item(40))

    assert [cache.get((place, 0)) is not None for place in (1, 2, 3)] == [True, False, True]
    assert cache.total_bytes == 80


def test_an_item_larger_than_the_cache_is_not_kept_and_drops_its_smaller_self():
    cache: ByteBoundedCache[_Item] = ByteBoundedCache(100)
    cache.put((1, 0), _Item(90))

    cache.put((1, 0), _Item(200))

    assert cache.get((1, 0)) is None
    assert cache.total_bytes == 0
