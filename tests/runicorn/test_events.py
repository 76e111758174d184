"""How values become lines, with orjson and without."""

from __future__ import annotations

import enum
import json
import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from runicorn.storage import events
from runicorn.storage.events import encode_event, largest_step, metric_points
from runicorn.storage.plain import as_number


class Colour(enum.Enum):
    RED = "red"


class OneElement:
    """A scalar as torch has them."""

    def __init__(self, value):
        self._value = value

    def item(self):
        return self._value


class ManyElements:
    def item(self):
        raise RuntimeError("a Tensor with 2 elements cannot be converted to Scalar")


class Encoded:
    def __init__(self, **values):
        self.dropped = []
        self.line = encode_event(
            {"ts": 1.5, "type": "metrics", "data": values}, lambda key, kind: self.dropped.append((key, kind))
        )
        self.data = json.loads(self.line, parse_constant=self.fail)["data"]

    @staticmethod
    def fail(token):
        raise AssertionError(f"{token} is not JSON")


@pytest.fixture(params=["orjson", "json"], autouse=True)
def encoder(request, monkeypatch):
    """Each test runs with both encoders: what is stored must not depend on the machine."""
    if request.param == "orjson":
        pytest.importorskip("orjson")
    else:
        monkeypatch.setitem(__import__("sys").modules, "orjson", None)
    monkeypatch.setattr(events, "plain_line", events._find_encoder())


STORED = {
    "float": (0.1, 0.1),
    "int": (3, 3),
    "bool": (True, True),
    "none": (None, None),
    "text": ("grüße 中文 🦄", "grüße 中文 🦄"),
    "newline": ("a\nb\u2028c", "a\nb\u2028c"),
    "list": ([1, 2.5, "x"], [1, 2.5, "x"]),
    "tuple": ((1, 2), [1, 2]),
    "set": ({7}, [7]),
    "nested": ({"a": {"b": [1]}}, {"a": {"b": [1]}}),
    "int keys": ({1: 2}, {"1": 2}),
    "nan": (math.nan, "NaN"),
    "infinity": (math.inf, "Infinity"),
    "minus infinity": (-math.inf, "-Infinity"),
    "nested nan": ({"a": [math.nan]}, {"a": ["NaN"]}),
    "huge int": (2**80, 2**80),
    "largest step": (2**63 - 1, 2**63 - 1),
    "decimal": (Decimal("1.5"), 1.5),
    "fraction": (Fraction(1, 4), 0.25),
    "enum": (Colour.RED, "red"),
    "torch scalar": (OneElement(0.25), 0.25),
    "torch nan": (OneElement(math.nan), "NaN"),
    "torch bool": (OneElement(True), True),
    "lone surrogate": ("a\ud800b", "a?b"),
}


@pytest.mark.parametrize(("value", "stored"), STORED.values(), ids=STORED.keys())
def test_a_value_is_stored_as(value, stored):
    encoded = Encoded(x=value, y=1)

    assert encoded.data == {"x": stored, "y": 1}
    assert encoded.dropped == []


def circular():
    value: list[object] = []
    value.append(value)
    return value


def deep():
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    return value


DROPPED = {
    "object": (object(), "object"),
    "path": (Path("x"), type(Path("x")).__name__),
    "complex": (1j, "complex"),
    "bytes": (b"x", "bytes"),
    "tensor of many": (ManyElements(), "ManyElements"),
    "inside a list": ([1, object()], "object"),
    "holds itself": (circular(), "nested"),
    "deep": (deep(), "nested"),
}


@pytest.mark.parametrize(("value", "kind"), DROPPED.values(), ids=DROPPED.keys())
def test_a_value_that_json_cannot_hold_is_dropped_and_the_others_stay(value, kind):
    encoded = Encoded(x=value, y=math.nan, z="中")

    assert encoded.data == {"y": "NaN", "z": "中"}
    ((key, reason),) = encoded.dropped
    assert key == "x"
    assert kind in reason


def test_numpy_scalars_become_numbers_and_arrays_of_several_elements_are_dropped():
    np = pytest.importorskip("numpy")

    encoded = Encoded(
        f64=np.float64(0.1),
        f32=np.float32(0.1),
        f16=np.float16(0.5),
        i8=np.int8(-3),
        u64=np.uint64(2**63),
        flag=np.bool_(True),
        word=np.str_("x"),
        zero_dim=np.array(2.5),
        one=np.array([[7.0]]),
        nan=np.float32("nan"),
        many=np.array([1.0, 2.0]),
    )

    assert encoded.dropped == [("many", "ndarray")]
    assert encoded.data.pop("f32") == pytest.approx(0.1)
    assert encoded.data == {
        "f64": 0.1,
        "f16": 0.5,
        "i8": -3,
        "u64": 2**63,
        "flag": True,
        "word": "x",
        "zero_dim": 2.5,
        "one": 7.0,
        "nan": "NaN",
    }


def test_an_array_is_dropped_also_where_nothing_else_needs_a_second_look():
    np = pytest.importorskip("numpy")

    encoded = Encoded(many=np.array([1.0, 2.0]), one=np.array([3.0]))

    assert encoded.data == {"one": 3.0}


def test_an_event_is_one_line():
    line = Encoded(x="a\r\nb\n", y=math.nan).line

    assert line.count(b"\n") == 1
    assert line.endswith(b"}\n")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1),
        (0.5, 0.5),
        (OneElement(2), 2),
        (Decimal("0.5"), 0.5),
        (True, None),
        ("1", None),
        (None, None),
        ({}, None),
    ],
)
def test_what_counts_as_a_number(value, number):
    assert as_number(value) == number


def test_the_largest_step_is_found_across_files_and_across_the_pieces_they_are_read_in(tmp_path, monkeypatch):
    monkeypatch.setattr(events, "_CHUNK_BYTES", 50)
    lines = [f'{{"ts":1.0,"type":"metrics","data":{{"global_step":{step},"x":1}}}}\n' for step in (1, 700, 3, -4)]
    (tmp_path / "events.jsonl").write_text("".join(lines) + '{"ts":1.0,"type":"metrics","data":{"global_step":9999')
    older = '{"ts": 1.0, "type": "metrics", "data": {"x": 1, "global_step": 901, "time": 1.0}}\n'
    (tmp_path / "events.gpu2-17.jsonl").write_text(older)
    (tmp_path / "other.jsonl").write_text(lines[0].replace("1,", "5000,"))

    assert largest_step(tmp_path) == 901


def test_a_run_without_records_begins_at_zero(tmp_path):
    assert largest_step(tmp_path) == 0


def test_the_points_of_a_metric_are_read_past_broken_lines(tmp_path):
    (tmp_path / "events.jsonl").write_bytes(
        b'{"ts":1,"type":"metrics","data":{"global_step":1,"acc":0.5}}\n'
        b'{"ts":1,"type":"metrics","data":{"global_step":2,"loss":0.5}}\n'
        b'{"acc": torn\n'
        b'{"ts":1,"type":"image","data":{"acc":1}}\n'
        b'["acc"]\n'
        b'{"ts": 1, "type": "metrics", "data": {"global_step": 3, "acc": NaN}}\n'
    )

    points = list(metric_points(tmp_path, "acc"))

    assert points[0] == (1, 0.5)
    assert points[1][0] == 3
    assert math.isnan(points[1][1])
    assert len(points) == 2
