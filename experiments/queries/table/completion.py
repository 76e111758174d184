"""What could follow in a filter that somebody is typing."""

from __future__ import annotations

from dataclasses import dataclass

from lark import Token

from experiments.queries.table.field_list import fields_named, values_named
from experiments.query_language.fields import METRICS, STATISTICS, Field, Kind, field_of
from experiments.query_language.parser import parse_path, quoted, tokens_of
from runicorn.errors import InvalidFilter

MAX_OFFERS = 12
_OPERATORS = {
    Kind.TEXT: ["=", "!=", "~", "!~", "in ("],
    Kind.EITHER: ["=", "!=", "<", "<=", ">", ">=", "~", "in ("],
    Kind.TAGS: ["has", "=", "!=", "~"],
    Kind.SWITCH: ["="],
}
_OF_NUMBERS = ["<", "<=", ">", ">=", "=", "!="]


@dataclass(frozen=True)
class Offers:
    """texts: what may stand from ``begin`` (characters from 0) to the cursor, instead of what stands there."""

    begin: int
    texts: list[str]


def offers_for(text: str, cursor: int, *, now: float) -> Offers:
    """What may stand at the cursor (characters from 0) of a filter."""
    before = text[:cursor]
    tokens = tokens_of(before)
    started = tokens.pop() if tokens and tokens[-1].end_pos == cursor and tokens[-1].type in _WORDS else None
    begin = (started.start_pos or 0) if started else cursor
    word = str(started or "")
    field = _field_before(tokens)
    if field is not None and tokens[-1].type == "PATH":
        texts = [sign for sign in _OPERATORS.get(field.kind, _OF_NUMBERS) if sign.startswith(word)]
    elif field is not None:
        texts = [_as_value(value) for value in values_named(field, word.strip("\"'"), now=now, limit=MAX_OFFERS)]
    elif tokens and tokens[-1].type in _ENDS:
        texts = [joint for joint in ("and", "or") if joint.startswith(word.lower())]
    else:
        texts = _field_names(word)
    return Offers(begin, [offer for offer in texts if offer != word][:MAX_OFFERS])


_WORDS = ("PATH", "OTHER", "STRING", "NUMBER", "OPERATOR", "_AND", "_OR", "_NOT", "_IN", "_HAS")
_ENDS = ("STRING", "NUMBER", "DURATION", "DATE", "OTHER", "PATH", "RPAR", "RSQB", "_AGO", "_NOW")


def _field_before(tokens: list[Token]) -> Field | None:
    """The field whose comparison or value comes next."""
    place = len(tokens) - 1
    if place >= 0 and tokens[place].type in ("LPAR", "LSQB", "COMMA"):
        while place > 0 and tokens[place].type != "_IN":
            place -= 1
    if place >= 0 and tokens[place].type in ("OPERATOR", "_HAS", "_IN"):
        place -= 1 + (place > 0 and tokens[place - 1].type == "_NOT")
    if place < 0 or tokens[place].type != "PATH" or _is_value(tokens, place):
        return None
    try:
        return field_of(parse_path(str(tokens[place])))
    except InvalidFilter:
        return None


def _is_value(tokens: list[Token], place: int) -> bool:
    return place > 0 and tokens[place - 1].type in ("OPERATOR", "_HAS", "COMMA")


def _as_value(text: str) -> str:
    tokens = tokens_of(text)
    return text if len(tokens) == 1 and tokens[0].type in ("PATH", "NUMBER") and '"' not in text else quoted(text)


def _field_names(word: str) -> list[str]:
    found = fields_named(word.replace('"', ""), limit=MAX_OFFERS)
    names = [str(field) for field in (*found.run, *found.config, *found.summary)]
    if word.startswith(f"{METRICS}.") and word.count(".") >= 2:
        name = word.rpartition(".")[0]
        names += [f"{name}.{statistic}" for statistic in STATISTICS if f"{name}.{statistic}".startswith(word)]
    names += [str(field).removesuffix(".last") for field in found.metrics]
    # what begins so comes first
    return sorted(dict.fromkeys(names), key=lambda name: not name.startswith(word))
