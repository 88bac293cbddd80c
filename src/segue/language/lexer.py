"""Characters become tokens; comments are set aside for the formatter."""

from __future__ import annotations

import re
from typing import NamedTuple

from segue.domain.limits import CONDITION_CHARACTERS_MAX
from segue.language.findings import Source, shorten

_TOKEN = re.compile(
    r"""[\s\ufeff]*(?:
      (?P<word>[^\W\d]\w*)
    | (?P<text>"(?:[^"\\\n]++|\\[^\n])*+"|'(?:[^'\\\n]++|\\[^\n])*+')
    | (?P<date>[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}
        (?:[Tt][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?
        (?![\w.:]))
    | (?P<duration>[0-9]+(?:ms|[smhdwy])(?![\w.]))
    | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?(?![\w.]))
    | (?P<wrong>===|!==|<>|=<|=>|&&?|\|\|?|=(?!=)|!(?!=))
    | (?P<symbol>==|!=|<=|>=|[<>()\[\],.+\-*/])
    | (?P<comment>\#[^\n]*)
    | (?P<end>\Z)
    | (?P<bad>[0-9][\w.:]*|.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_ESCAPES = {'"': '"', "'": "'", "\\": "\\", "n": "\n", "t": "\t"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_MEANT = {
    "===": "==", "!==": "!=", "<>": "!=", "=<": "<=", "=>": ">=", "&&": "and", "&": "and",
    "||": "or", "|": "or", "=": "==", "!": "not",
}  # fmt: skip
_QUOTES = "“”„«»‘’‚`"


class Token(NamedTuple):
    """One word, sign or literal; ``text`` is as spelled, a string with its quotes."""

    kind: str  # word text date duration number symbol end
    text: str
    start: int
    end: int


class Comment(NamedTuple):
    """``# …`` with its offsets; ``before`` is the index of the token that follows it."""

    text: str
    start: int
    end: int
    before: int


class Stretch(NamedTuple):
    """A plain stretch of the text."""

    start: int
    end: int


def tokens_of(source: Source) -> tuple[list[Token], list[Comment]]:
    """The tokens, closed by one of kind ``end``, and the comments.

    Raises SegueError (E102, E105-E109) at the first thing that is no token.
    """
    _bounded(source)
    tokens: list[Token] = []
    comments: list[Comment] = []
    for found in _TOKEN.finditer(source.text):
        kind = found.lastgroup
        assert kind is not None
        start, end = found.span(kind)
        text = found[kind]
        if kind == "comment":
            comments.append(Comment(text.rstrip(), start, end, len(tokens)))
        elif kind == "wrong":
            hint = f"write {_MEANT[text]}"
            raise source.refusal("E109", f"{text} is no operator here", hint, Stretch(start, end))
        elif kind == "bad":
            _refuse(source, text, Stretch(start, end))
        else:
            tokens.append(Token(kind, text, start, end))
            if kind == "end":
                break
    return tokens, comments


def text_of(source: Source, token: Token) -> str:
    """What a string token stands for; E107 for an unknown escape."""
    inside = token.text[1:-1]
    if "\\" not in inside:
        return inside

    def meant(found: re.Match[str]) -> str:
        if found[1] is not None:
            return chr(int(found[1], 16))
        sign = _ESCAPES.get(found[2])
        if sign is not None:
            return sign
        start = token.start + 1 + found.start()
        hint = r"use \" \' \\ \n \t or \u with four hexadecimal digits; write \\ for one backslash"
        at = Stretch(start, start + 2)
        raise source.refusal("E107", f"\\{shorten(found[2])} is no escape in a string", hint, at)

    text = _ESCAPE.sub(meant, inside)
    text = _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)
    if _SURROGATE.search(text):
        hint = r"write both halves, as in \ud83d\ude00, or the character itself"
        raise source.refusal("E107", "half of a \\u pair is missing in this string", hint, token)
    return text


def _bounded(source: Source) -> None:
    size = len(source.text)
    if size > CONDITION_CHARACTERS_MAX:
        message = f"the condition has {size} characters, {CONDITION_CHARACTERS_MAX} are allowed"
        hint = 'put long enumerations into a list, list("…"), and repeated parts into a feature or segment'
        raise source.refusal("E102", message, hint, Stretch(0, 1))
    if source.text.isascii():
        return
    broken = _SURROGATE.search(source.text)
    if broken is not None:
        hint = "save the text as UTF-8 and remove this character"
        at = Stretch(broken.start(), broken.end())
        raise source.refusal("E105", "there is half a character here, not valid Unicode", hint, at)


def _refuse(source: Source, text: str, at: Stretch) -> None:
    """Raise for what is no token: an open string, a broken number, a stray sign."""
    if text in "\"'":
        line_end = source.text.find("\n", at.start)
        whole = Stretch(at.start, len(source.text) if line_end < 0 else line_end)
        hint = f"close it with {text} on the same line; write \\n for a line break"
        raise source.refusal("E106", "this string does not end", hint, whole)
    if text[0] in "0123456789":
        hint = "numbers look like 12 or 0.5, durations like 90m or 30d, dates like 2026-11-27"
        raise source.refusal("E108", f"{shorten(text)} is no number, duration or date", hint, at)
    if text in _QUOTES:
        hint = "use straight quotes: \" or '"
        raise source.refusal("E105", f"{text} is no quotation mark of the language", hint, at)
    shown = text if text.isprintable() else f"U+{ord(text):04X}"
    hint = "remove it, or put it between quotes if it belongs to a name or a text"
    raise source.refusal("E105", f"{shown} means nothing here", hint, at)
