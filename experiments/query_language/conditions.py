"""From nodes to conditions of the ORM.

Each condition is true or false for a run, never null: where a run has no value, a comparison is false, and so ``not``
gives exactly the other runs. Regular expressions run in linear time (RE2) over the distinct values of the column, in
this process: both databases then mean the same by them, and none can be kept busy by one.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from django.db.models import ExpressionWrapper, F, FloatField, Q
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, IsNull, LessThan, LessThanOrEqual

from experiments.fields import AnyOf
from experiments.linear_regex import compile_linear
from experiments.models import Run, RunTag
from experiments.query_language.fields import (
    METRICS,
    STATISTICS,
    Field,
    Kind,
    Vocabulary,
    field_of,
    run_expression,
    series_of,
    values_of,
)
from experiments.query_language.nodes import (
    Ago,
    And,
    Has,
    Membership,
    Moment,
    Node,
    Not,
    Nothing,
    Number,
    Or,
    Path,
    Span,
    Text,
    Value,
    Words,
)
from runicorn.errors import InvalidFilter

_LOOKUPS: dict[str, Any] = {
    "=": Exact,
    "<": LessThan,
    "<=": LessThanOrEqual,
    ">": GreaterThan,
    ">=": GreaterThanOrEqual,
}
_SUFFIXES = {"=": "", "<": "__lt", "<=": "__lte", ">": "__gt", ">=": "__gte"}
_SWITCHES = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
#: Memory that one regular expression may take.
REGEX_BYTES = 1 << 20


@dataclass(frozen=True)
class Filter:
    """An expression that was understood. condition: of runs. unknown: fields that no run has, as they were written."""

    condition: Q
    unknown: tuple[str, ...] = ()


def filter_of(node: Node, *, now: float, zone: tzinfo) -> Filter:
    """now: Unix seconds, for "7d ago". zone: of the moments that name none. Raises InvalidFilter."""
    fields = {path: field_of(path) for path in _paths(node)}
    words = Vocabulary.of(fields.values(), now=now)
    unknown = tuple(str(named) for named in dict.fromkeys(fields.values()) if not _is_known(named, words))
    return Filter(_Conditions(fields, words, zone).of(node), unknown)


def _paths(node: Node) -> Iterator[Path]:
    if isinstance(node, (And, Or)):
        for part in node.parts:
            yield from _paths(part)
    elif isinstance(node, Not):
        yield from _paths(node.part)
    elif not isinstance(node, Words):
        yield node.path


def _is_known(named: Field, words: Vocabulary) -> bool:
    if named.area == METRICS:
        return named.name in words.metrics
    return named.area == "run" or (named.area, named.name) in words.values


class _Conditions:
    def __init__(self, fields: dict[Path, Field], words: Vocabulary, zone: tzinfo) -> None:
        self.fields, self.words, self.zone = fields, words, zone

    def of(self, node: Node) -> Q:
        if isinstance(node, And):
            return _joined(operator.and_, [self.of(part) for part in node.parts])
        if isinstance(node, Or):
            return _joined(operator.or_, [self.of(part) for part in node.parts])
        if isinstance(node, Not):
            return ~self.of(node.part)
        if isinstance(node, Words):
            return Q(*(Q(search_text__contains=word.casefold()) for word in node.words))
        if isinstance(node, Has):
            return self._has(node)
        if isinstance(node, Membership):
            return _joined(operator.or_, [self._compared(node.path, "=", value) for value in node.values])
        return self._compared(node.path, node.operator, node.value)

    def _has(self, node: Has) -> Q:
        if self.fields[node.path].kind is not Kind.TAGS:
            raise _wrong(node.path.position, f"{self.fields[node.path]} is no list: only tags are asked by has")
        return self._compared(node.path, "=", node.value)

    def _compared(self, path: Path, sign: str, value: Value) -> Q:
        named = self.fields[path]
        if sign in ("~", "!~"):
            return self._matching(named, path, value, wanted=sign == "~")
        if isinstance(value.literal, Nothing) and sign in ("=", "!="):
            present = self._present(named)
            return ~present if sign == "=" else present
        if sign == "!=":
            # of the runs that have a value those whose value differs: "not x = 1" gives also those that have none
            return self._present(named) & ~self._compared(path, "=", value)
        return self._related(named, path, sign, value)

    def _related(self, named: Field, path: Path, sign: str, value: Value) -> Q:
        if named.area == METRICS:
            column = STATISTICS[named.statistic]
            rows = series_of(named, self.words).filter(_number_condition(column, sign, _number(named, value)))
            return Q(pk__in=rows.values("run_id"))
        if named.kind is Kind.EITHER:
            return self._either(named, sign, value)
        if named.kind is Kind.TAGS:
            if sign != "=":
                raise _wrong(path.position, 'tags are compared by has, =, != and ~, as in tags has "baseline"')
            return Q(pk__in=RunTag.objects.filter(tag=_text(value)).values("run_id"))
        compared = self._literal(named, sign, value)
        if named.name == "status" and sign == "=":
            silent = Q(status=Run.Status.RUNNING, silent=True)
            alive = Q(status=compared) & (Q(silent=False) if compared == Run.Status.RUNNING else Q())
            return silent if compared == "silent" else alive
        expression = run_expression(named.name, self.words)
        if isinstance(expression, F):
            if named.kind is Kind.NUMBER:
                return _number_condition(expression.name, sign, float(compared)) & self._present(named)
            return Q(**{expression.name + _SUFFIXES[sign]: compared})
        return Q(_LOOKUPS[sign](expression, compared)) & self._present(named)

    def _either(self, named: Field, sign: str, value: Value) -> Q:
        rows, literal = values_of(named, self.words), value.literal
        if isinstance(literal, (Number, Span)):
            number = literal.value if isinstance(literal, Number) else literal.seconds
            rows = rows.filter(_number_condition("number", sign, number))
        elif sign == "=":
            text = _text(value)
            switch = text.casefold() in ("true", "false")
            rows = rows.filter(text__iexact=text) if switch else rows.filter(text=text)
        else:
            raise _wrong(value.position, f"{named} is compared with a number by {sign}")
        return Q(pk__in=rows.values("run_id"))

    def _present(self, named: Field) -> Q:
        """Whether a run has a value."""
        if named.area == METRICS:
            rows = series_of(named, self.words).filter(**{f"{STATISTICS[named.statistic]}__isnull": False})
            return Q(pk__in=rows.values("run_id"))
        if named.kind is Kind.EITHER:
            return Q(pk__in=values_of(named, self.words).values("run_id"))
        if named.kind is Kind.TAGS:
            return Q(pk__in=RunTag.objects.values("run_id"))
        return Q(IsNull(run_expression(named.name, self.words), False))

    def _matching(self, named: Field, path: Path, value: Value, *, wanted: bool) -> Q:
        """Runs with a value in which the regular expression is found, or (not wanted) with one in which it is not."""
        if named.area == METRICS or named.kind not in (Kind.TEXT, Kind.EITHER, Kind.TAGS):
            raise _wrong(path.position, f"{named} is no text: ~ searches texts")
        fits = _regex(value)
        if named.kind is Kind.EITHER:
            rows = values_of(named, self.words)
            found = _found(rows.values_list("text", flat=True).distinct(), fits)
            matching = Q(pk__in=rows.filter(AnyOf(F("text"), found)).values("run_id"))
        elif named.kind is Kind.TAGS:
            found = _found(RunTag.objects.values_list("tag", flat=True).distinct(), fits)
            matching = Q(pk__in=RunTag.objects.filter(AnyOf(F("tag"), found)).values("run_id"))
        else:
            expression = run_expression(named.name, self.words)
            texts = Run.objects.order_by().annotate(searched=expression).values_list("searched", flat=True).distinct()
            matching = Q(AnyOf(expression, _found(texts, fits))) & self._present(named)
        return matching if wanted else self._present(named) & ~matching

    def _literal(self, named: Field, sign: str, value: Value) -> str | float | bool:
        if named.kind is Kind.NUMBER:
            return _number(named, value)
        if named.kind is Kind.TIME:
            return self._moment(named, value)
        if named.kind is Kind.DURATION:
            literal = value.literal
            return literal.seconds if isinstance(literal, Span) else _number(named, value)
        text = _text(value)
        if sign != "=":
            raise _wrong(value.position, f"{named} is compared by = != in ~ and not by {sign}")
        if named.kind is Kind.SWITCH:
            if text.casefold() not in _SWITCHES:
                raise _wrong(value.position, f"{named} is true or false, not {text!r}")
            return _SWITCHES[text.casefold()]
        if named.name == "status" and text not in (*Run.Status.values, "silent"):
            states = ", ".join([*Run.Status.values, "silent"])
            raise _wrong(value.position, f"the status {text!r} is unknown; choose one of {states}")
        return text

    def _moment(self, named: Field, value: Value) -> float:
        literal = value.literal
        if isinstance(literal, Number):
            return literal.value  # Unix seconds
        if isinstance(literal, Ago):
            return self.words.now - literal.seconds
        if isinstance(literal, Span):
            raise _wrong(value.position, f"{named} is a moment: write how long ago, as in 7d ago")
        text = _text(value)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise _wrong(value.position, f"{text!r} is no time; write 2026-11-01, 2026-11-01 14:00 or 7d ago") from None
        return (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).timestamp()


def _number_condition(column: str, sign: str, number: float) -> Q:
    """Compared as floats: Django rounds what it compares an integer column with, and cannot round infinity."""
    return Q(_LOOKUPS[sign](ExpressionWrapper(F(column), output_field=FloatField()), number))


def _joined(join: Callable[[Q, Q], Q], parts: list[Q]) -> Q:
    joined = parts[0]
    for part in parts[1:]:
        joined = join(joined, part)
    return joined


def _number(named: Field, value: Value) -> float:
    if not isinstance(value.literal, Number):
        raise _wrong(value.position, f"{named} is compared with a number")
    return value.literal.value


def _text(value: Value) -> str:
    literal = value.literal
    if isinstance(literal, (Text, Moment)):
        return literal.text
    if isinstance(literal, Number):
        return f"{literal.value:g}" if literal.value != int(literal.value) else str(int(literal.value))
    raise _wrong(value.position, "expected a text; write it between quotes")


def _regex(value: Value) -> Callable[[str], object]:
    pattern = _text(value)
    try:
        return compile_linear(pattern, max_bytes=REGEX_BYTES).search  # type: ignore[no-any-return]
    except ValueError as error:
        raise _wrong(value.position, str(error)) from None


def _found(texts: Any, fits: Callable[[str], object]) -> list[str]:
    return [text for text in texts if text is not None and fits(text)]


def _wrong(position: int, sentence: str) -> InvalidFilter:
    return InvalidFilter(f"At {position}: {sentence}.", position=position)
