"""From a text to nodes. Mistakes are answered with the place and what was expected there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken, VisitError

from experiments.query_language.nodes import (
    Ago,
    And,
    Comparison,
    Has,
    Literal,
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

#: Longer ones are a mistake; an address holds no more either.
MAX_CHARACTERS = 4000
#: The tree is walked by recursion.
MAX_DEPTH = 40
#: Each condition on a metric or a value of a config is one more look at the index.
MAX_CONDITIONS = 100

OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "~", "!~")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_VALUE = "a value"
_NOTHING = ("null", "none")
_AREAS = ("metrics.", "config.", "summary.")
#: What each terminal of the grammar is called in messages.
_WORDS = {
    "_AND": '"and"',
    "_OR": '"or"',
    "_NOT": '"not"',
    "_IN": '"in"',
    "_HAS": '"has"',
    "_AGO": '"ago"',
    "_NOW": _VALUE,
    "OPERATOR": f"a comparison ({' '.join(OPERATORS)})",
    "PATH": "a field",
    "STRING": _VALUE,
    "NUMBER": _VALUE,
    "DURATION": _VALUE,
    "DATE": _VALUE,
    "OTHER": _VALUE,
    "LPAR": '"("',
    "RPAR": '")"',
    "LSQB": '"["',
    "RSQB": '"]"',
    "COMMA": '","',
    "$END": "the end",
}


def parse_filter(text: str) -> Node:
    """The tree of a filter that is not empty. Raises InvalidFilter."""
    if len(text) > MAX_CHARACTERS:
        raise InvalidFilter(f"The filter has {len(text)} characters; at most {MAX_CHARACTERS} are read.")
    if "\x00" in text:
        position = text.index("\x00") + 1
        raise InvalidFilter(f"At {position}: no text holds NUL.", position=position, expected=[_VALUE])
    _check_depth(text)
    try:
        node: Node = _ToNodes().transform(_grammar().parse(text))
    except UnexpectedCharacters as error:
        raise _unexpected(text, error.pos_in_stream, text[error.pos_in_stream], ()) from error
    except UnexpectedToken as error:
        at_end = error.token.type == "$END"
        position = len(text) if at_end else error.token.start_pos or 0
        raise _unexpected(text, position, "" if at_end else str(error.token), error.accepts or ()) from error
    except UnexpectedEOF as error:
        raise _unexpected(text, len(text), "", error.expected) from error
    except VisitError as error:
        raise error.orig_exc from None
    if _count(node) > MAX_CONDITIONS:
        raise InvalidFilter(f"The filter has more than {MAX_CONDITIONS} conditions.")
    return node


def conjuncts(text: str) -> list[str]:
    """The parts of a filter that are joined by ``and`` outside of parentheses, as they were written.

    One part if they are joined by ``or`` as well, or if the text is no filter.
    """
    parts, begin, depth = [], 0, 0
    for token in tokens_of(text):
        depth += {"LPAR": 1, "LSQB": 1, "RPAR": -1, "RSQB": -1}.get(token.type, 0)
        if depth == 0 and token.type == "_OR":
            return [text.strip()]
        if depth == 0 and token.type == "_AND":
            parts.append(text[begin : token.start_pos].strip())
            begin = token.end_pos or 0
    return [part for part in (*parts, text[begin:].strip()) if part]


def joined_filters(*filters: str) -> str:
    """A filter that says what all of these say; empty ones say nothing."""
    given = [text for text in filters if text]
    if len(given) < 2:
        return "".join(given)
    return " and ".join(f"({text})" if _has_open_or(text) else text for text in given)


def _has_open_or(text: str) -> bool:
    return len(conjuncts(text)) == 1 and any(token.type == "_OR" for token in tokens_of(text))


def tokens_of(text: str) -> list[Token]:
    """None of a text that cannot be cut into tokens: then it is no filter."""
    try:
        return list(_grammar().lex(text))
    except UnexpectedCharacters:
        return []


def split_paths(text: str) -> list[str]:
    """The fields in a list with commas, as they were written, with the ``-`` of sort keys."""
    return [path.strip() for path in re.findall(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+', text) if path.strip()]


def parse_path(text: str) -> Path:
    """The path in ``text``, which holds nothing else. Raises InvalidFilter."""
    tokens = tokens_of(text)
    if len(tokens) != 1 or tokens[0].type != "PATH":
        raise InvalidFilter(f'"{text[:60]}" is no field; write for example config.lr or metrics.loss.min.')
    return _path(tokens[0])


def quoted(text: str) -> str:
    """``text`` as a value in a filter."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@cache
def _grammar() -> Lark:
    grammar = FilePath(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="basic", maybe_placeholders=False)


def _check_depth(text: str) -> None:
    depth = 0
    for match in re.finditer(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[()]|\bnot\b', text, re.IGNORECASE):
        depth += {"(": 1, ")": -1}.get(match[0], 1 if match[0].lower() == "not" else 0)
        if depth > MAX_DEPTH:
            raise InvalidFilter(
                f"At {match.start() + 1}: more than {MAX_DEPTH} parentheses and negations.", position=match.start() + 1
            )


def _unexpected(text: str, position: int, found: str, terminals: Iterable[str]) -> InvalidFilter:
    quote = _open_quote(text)
    if quote is not None:
        message = f"At {quote + 1}: the text that begins here has no closing {text[quote]}."
        return InvalidFilter(message, position=quote + 1, expected=[text[quote]])
    expected = sorted({_WORDS[name] for name in terminals if name in _WORDS})
    place = f'At {position + 1}: "{found[:40]}" is not understood here' if found else "The filter ends too early"
    choice = f"; expected {' or '.join(filter(None, [', '.join(expected[:-1]), expected[-1]]))}" if expected else ""
    return InvalidFilter(f"{place}{choice}.", position=position + 1, expected=expected)


def _open_quote(text: str) -> int | None:
    """Where a text begins that does not end."""
    rest = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', lambda match: " " * len(match[0]), text)
    return min((place for place in (rest.find('"'), rest.find("'")) if place >= 0), default=None)


def _count(node: Node) -> int:
    if isinstance(node, (And, Or)):
        return sum(map(_count, node.parts))
    return _count(node.part) if isinstance(node, Not) else 1


def _seconds(token: str) -> float:
    return sum(float(amount) * _SECONDS[unit] for amount, unit in re.findall(r"([\d.]+)(ms|min|[smhdw])", token))


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1])


def _path(token: Token) -> Path:
    parts = re.findall(r'"(?:[^"\\]|\\.)*"|[^."]+', token)
    names = tuple(_unquoted(part) if part.startswith('"') else part for part in parts)
    return Path(names, (token.start_pos or 0) + 1)


@v_args(inline=True)
class _ToNodes(Transformer[Token, Any]):
    def disjunction(self, *parts: Node) -> Node:
        return Or(parts)

    def conjunction(self, *parts: Node) -> Node:
        return And(parts)

    def negation(self, part: Node) -> Node:
        return Not(part)

    def comparison(self, path: Token, operator: Token, value: Value) -> Node:
        if operator not in (*OPERATORS, "=="):
            raise _unexpected("", operator.start_pos or 0, operator, ["OPERATOR"])
        return Comparison(_path(path), "=" if operator == "==" else str(operator), value)

    def membership(self, path: Token, *values: Value) -> Node:
        return Membership(_path(path), values)

    def exclusion(self, path: Token, *values: Value) -> Node:
        return Not(Membership(_path(path), values))

    def has(self, path: Token, value: Value) -> Node:
        return Has(_path(path), value)

    def words(self, *words: str) -> Node:
        return Words(words)

    def word(self, token: Token) -> str:
        if token.type == "PATH" and token.startswith(_AREAS):  # nobody looks for this word: more is to come
            raise _unexpected("", token.end_pos or 0, "", ["OPERATOR", "_IN"])
        return _unquoted(token) if token.type == "STRING" else str(token)

    def bare(self, token: Token) -> Value:
        return _value(Nothing() if token.lower() in _NOTHING else Text(str(token)), token)

    def string(self, token: Token) -> Value:
        return _value(Text(_unquoted(token)), token)

    def number(self, token: Token) -> Value:
        return _value(Number(float(token)), token)

    def duration(self, token: Token) -> Value:
        return _value(Span(_seconds(token)), token)

    def ago(self, token: Token) -> Value:
        return _value(Ago(_seconds(token)), token)

    def now(self) -> Value:
        return Value(Ago(0), 1)

    def date(self, token: Token) -> Value:
        return _value(Moment(str(token)), token)


def _value(literal: Literal, token: Token) -> Value:
    return Value(literal, (token.start_pos or 0) + 1)
