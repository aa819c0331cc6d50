r"""Lists and objects as people write them into CSV, turned into JSON and arrays that PostgreSQL takes.

Three spellings: JSON, a Python literal (`[{'id': 16, 'name': "Children's"}]`), and names between commas (`Action,
Science Fiction`). A Python literal is not JSON with other quotes: apostrophes, `\xa0`, None and True have to be
read for what they are. Nothing is ever evaluated: strings and words are replaced one by one, and a JSON parser judges
the result. Literals without escapes, which most are, are checked and rewritten as a whole in C.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from reelbase.loading.rejects import Misspelt
from reelbase.reading.records import repeated

# PostgreSQL's parser goes down one call for each level, and says no at some thousands.
MOST_LEVELS = 500
# jsonb keeps numbers as numeric, which has limits; nobody means larger ones.
_MOST_DIGITS = 1000

# Strings without escapes and double quotes. None begins with a colon: so `': ` can only stand behind a key.
_STRING = rb"'(?:[^':\"\\\x00-\x1f][^'\"\\\x00-\x1f]*+)?'"
_WITH_APOSTROPHES = rb'"[^"\\\x00-\x1f]*+"'
_SCALAR = rb"(?:%b|-?(?:0|[1-9][0-9]{0,17}+)(?:\.[0-9]{1,17}+)?|%b)" % (_STRING, _WITH_APOSTROPHES)
_PAIR = rb"%b: (?:%b|None|True|False)" % (_STRING, _SCALAR)
_OBJECT = rb"\{(?:%b%b)?\}" % (_PAIR, repeated(b", " + _PAIR))
_ITEM = rb"(?:%b|%b)" % (_OBJECT, _SCALAR)
_SIMPLE = re.compile(rb"\[(?:%b%b)?\]|%b" % (_ITEM, repeated(b", " + _ITEM), _OBJECT))
_SIMPLE_NAMES = re.compile(rb"\[(?:%b%b)?\]" % (_STRING, repeated(b", " + _STRING)))
_WORDS = ((b"': None", b"': null"), (b"': True", b"': true"), (b"': False", b"': false"))

_BRACKETS = (b"[", b"{")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]++')

# What may stand behind the first bracket of a list or an object. A company is called "[adult swim]".
_LITERAL = re.compile(
    rb"\s*(?:\[\s*(?:[\[\]{'\"0-9.-]|[uU]['\"]|(?:None|True|False|null|true|false|nan)\b)|\{\s*(?:[}'\"]|[uU]['\"]))"
)
_TEXT = r"[uU]?(?:'[^'\\\n]*+(?>\\.[^'\\\n]*+)*+'|\"[^\"\\\n]*+(?>\\.[^\"\\\n]*+)*+\")"
_ALL_PAIRED = re.compile(rf"(?>{_TEXT}|[^'\"])*+")
_TOKEN = re.compile(rf"{_TEXT}|\b(?:None|True|False)\b")
_NAMED = {"None": "null", "True": "true", "False": "false"}
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_LETTERS = {
    "\\": "\\", "'": "'", '"': '"',
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip


def objects(value: bytes) -> bytes:
    """A list as JSON; names between commas become a list of strings. Raises Misspelt."""
    value = value.strip()
    if value[:1] in _BRACKETS:
        if _SIMPLE.fullmatch(value):
            return _rewritten(value)
        if _LITERAL.match(value):
            return _parsed(value)[0].encode()
    elif _PLAIN.fullmatch(value) and (found := [name for name in map(bytes.strip, value.split(b",")) if name]):
        return b'["%b"]' % b'", "'.join(found)
    return _dumped(_names(value.decode()))


def one_object(value: bytes) -> bytes:
    """One thing as JSON; what is no literal is its name, a string. Raises Misspelt."""
    value = value.strip()
    if _SIMPLE.fullmatch(value):
        return _rewritten(value)
    if _LITERAL.match(value):
        return _parsed(value)[0].encode()
    return _dumped(value.decode())


def names(value: bytes) -> bytes:
    """A list of names as PostgreSQL writes an array of text. Raises Misspelt."""
    value = value.strip()
    if _SIMPLE_NAMES.fullmatch(value):
        return b"{%b}" % value[1:-1].replace(b"'", b'"')
    found = _parsed(value)[1] if _LITERAL.match(value) else _names(value.decode())
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise Misspelt
    escaped = (name.replace("\\", "\\\\").replace('"', '\\"') for name in found)
    return ("{" + ",".join(f'"{name}"' for name in escaped) + "}").encode()


def _rewritten(value: bytes) -> bytes:
    """A simple literal: outside double quotes every `'` is the end of a string, and a word stands behind a key."""
    if b'"' not in value:
        return _without_apostrophes(value)
    pieces = value.split(b'"')
    pieces[::2] = map(_without_apostrophes, pieces[::2])
    return b'"'.join(pieces)


def _without_apostrophes(value: bytes) -> bytes:
    for word, in_json in _WORDS:
        value = value.replace(word, in_json)
    return value.replace(b"'", b'"')


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _parsed(value: bytes) -> tuple[str, Any]:
    """JSON or a Python literal: as JSON, and what it means."""
    text = value.decode()
    try:
        return text, _loaded(text)
    except Misspelt:
        in_json = _in_json(text)
        return in_json, _loaded(in_json)


def _loaded(text: str) -> Any:
    """What a JSON text means; raises Misspelt if jsonb would not take it."""
    try:
        value = json.loads(text, parse_float=_number, parse_constant=_constant)
        if "\\u" in text or text.count("[") + text.count("{") > MOST_LEVELS:
            _check(value)
    except (ValueError, RecursionError) as error:
        raise Misspelt from error
    return value


def _number(text: str) -> float:
    if abs(Decimal(text).adjusted()) > _MOST_DIGITS:
        raise Misspelt
    return float(text)


def _constant(_: str) -> Any:
    raise Misspelt  # NaN and Infinity


def _check(value: Any) -> None:
    """Strings that are UTF-8 without NUL, and not too many levels."""
    level, levels = [value], 0
    while level:
        below: list[Any] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, dict):
                below.extend(item.keys())
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        level, levels = below, levels + 1
        if levels > MOST_LEVELS:
            raise Misspelt


def _check_text(text: str) -> None:
    if "\0" in text:
        raise Misspelt
    text.encode()  # a lone surrogate is no character


def _in_json(text: str) -> str:
    """A Python literal with its strings and words as JSON spells them; whether it is JSON then is not looked at."""
    if not _ALL_PAIRED.fullmatch(text):
        raise Misspelt
    return _TOKEN.sub(_token, text)


def _token(match: re.Match[str]) -> str:
    token = match.group()
    if token in _NAMED:
        return _NAMED[token]
    return json.dumps(_unescaped(token.lstrip("uU")[1:-1]), ensure_ascii=False)


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    try:
        found = _ESCAPE.sub(_escaped, text).encode("utf-16", "surrogatepass").decode("utf-16")
    except ValueError as error:
        raise Misspelt from error
    _check_text(found)
    return found


def _escaped(match: re.Match[str]) -> str:
    octal, two, four, eight, letter = match.groups()
    if letter is None:
        return chr(int(octal, 8) if octal else int(two or four or eight, 16))
    if letter == "N":
        raise Misspelt  # names of characters; repr() writes none
    return _LETTERS.get(letter, "\\" + letter)
