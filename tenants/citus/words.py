"""SQL as words: names, texts, parameters and signs, which is as far as the lint must understand it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<comment>--[^\n]*|/\*.*?\*/)
  | (?P<text>E?'(?:[^'\\]|''|\\.)*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
  | (?P<param>%\(\w+\)s|%s|\$\d+)
  | (?P<name>"(?:[^"]|"")+"|[A-Za-z_][A-Za-z0-9_$]*)
  | (?P<number>\d[\d.]*)
  | (?P<sign>::|[^\s])
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is text, param, name, number or sign; a quoted name keeps its case, others are lower."""

    kind: str
    value: str
    is_quoted: bool = False


def split(script: str) -> list[str]:
    """The statements of a script, parted at semicolons outside of strings and bodies."""
    found, start = [], 0
    for match in _TOKEN.finditer(script):
        if match["sign"] == ";":
            found.append(script[start : match.start()])
            start = match.end()
    return [one.strip() for one in [*found, script[start:]] if any(tokens_of(one))]


def between(tokens: tuple[Token, ...], start: int) -> tuple[Token, ...]:
    """What the bracket that opens at `start` encloses."""
    depth = 0
    for at in range(start, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[at].value, 0) if tokens[at].kind == "sign" else 0
        if depth == 0:
            return tokens[start + 1 : at]
    return tokens[start + 1 :]


def tokens_of(sql: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(sql):
        kind = str(match.lastgroup) if match.lastgroup != "tag" else "text"
        if kind == "comment":
            continue
        value = match[0]
        if kind == "name" and value.startswith('"'):
            yield Token(kind, value[1:-1].replace('""', '"'), is_quoted=True)
        else:
            yield Token(kind, value.lower() if kind == "name" else value)


def spelled(token: Token) -> str:
    """The token as SQL again."""
    return '"' + token.value.replace('"', '""') + '"' if token.is_quoted else token.value


def is_word(token: Token, word: str) -> bool:
    """Whether it is this keyword or bare name, and not a quoted name of the same letters."""
    return token.kind == "name" and not token.is_quoted and token.value == word
