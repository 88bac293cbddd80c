"""Reading tokens one by one, with refusals that say what was expected."""

from __future__ import annotations

from abc import ABC, abstractmethod

from segue.domain.errors import SegueError
from segue.domain.limits import CONDITION_DEPTH_MAX
from segue.language import syntax
from segue.language.findings import Source, Span, closest, shorten
from segue.language.lexer import Stretch, Token, text_of

INFIX_WORDS = (
    "and", "or", "not in", "in", "contains", "starts with", "ends with", "is missing", "is present",
)  # fmt: skip
INSIDE_WORDS = ("where", "then", "within", "last", "between", "since", "this session")


class Cursor(ABC):
    """The place a parser has reached in its tokens."""

    __slots__ = ("at", "depth", "source", "token", "tokens")

    def __init__(self, source: Source, tokens: list[Token]) -> None:
        self.source = source
        self.tokens = tokens
        self.at = 0
        self.token = tokens[0]
        self.depth = 0

    @abstractmethod
    def expression(self, floor: int) -> syntax.Expression:
        """The expression that starts here, up to an operator that binds no tighter than ``floor``."""

    def advance(self) -> Token:
        """The current token; the next one becomes current."""
        token = self.token
        self.at += 1
        self.token = self.tokens[self.at]
        return token

    def peek(self) -> Token:
        """The token after the current one."""
        return self.tokens[min(self.at + 1, len(self.tokens) - 1)]

    def last_end(self) -> int:
        """Offset just past the token read last."""
        return self.tokens[self.at - 1].end

    def deeper(self, levels: int) -> None:
        """Count levels of nesting; a level costs a bounded number of Python frames."""
        self.depth += levels
        if self.depth > CONDITION_DEPTH_MAX:
            raise too_deep(self.source, self.token)

    def expect(self, sign: str, opened: Token) -> None:
        """Step over the sign that closes what ``opened`` began."""
        if self.token.text == sign:
            self.advance()
            return
        if self.token.kind == "end":
            hint = f"add {sign} where it should close"
            raise self.wrong("E111", f"this {opened.text} is never closed", hint, opened)
        raise self.unexpected(
            f"{sign} was expected to close {opened.text} of {self.spot(opened)}", INSIDE_WORDS
        )

    def unexpected(self, wanted: str, words: tuple[str, ...] = ()) -> SegueError:
        """The current token as a finding; a word near one of ``words`` or an operator is a misspelling."""
        token = self.token
        if token.kind == "end":
            return self.wrong("E110", "the condition ends too early", wanted, self.tail())
        if token.kind == "word":
            near = closest(token.text, (*words, *INFIX_WORDS))
            if near is not None and near.split()[0] != token.text:
                message = f"{shorten(token.text)} is no word of the language here"
                return self.wrong("E115", message, f"did you mean {near}?")
        return self.wrong("E110", f"{shorten(token.text)} was not expected here", wanted)

    def tail(self) -> Span:
        """Where something is missing at the end: the last token."""
        return self.tokens[max(0, len(self.tokens) - 2)]

    def spot(self, token: Token) -> str:
        """Line and column of a token, for a message."""
        return str(self.source.place(token.start, token.end))

    def wrong(self, code: str, message: str, hint: str, at: Span | None = None) -> SegueError:
        """The finding, at ``at`` or at the current token, that ends the reading."""
        return self.source.refusal(code, message, hint, self.token if at is None else at)

    def name_in_brackets(self, what: str) -> str:
        """``("name")`` after a function that takes a name in quotes."""
        opened = self.advance()
        if self.token.kind != "text":
            hint = f'write {what}("name")'
            raise self.wrong("E110", f"{what} takes one name in quotes", hint)
        name = text_of(self.source, self.advance())
        self.expect(")", opened)
        return name

    def path(self) -> tuple[str, ...]:
        """``.word."some text"…``: the keys that follow, none when there is no dot."""
        keys: list[str] = []
        while self.token.text == ".":
            self.advance()
            token = self.token
            if token.kind == "word":
                keys.append(token.text)
            elif token.kind == "text":
                keys.append(text_of(self.source, token))
            else:
                hint = 'write a word, or any key in quotes: ."total billed"'
                if token.kind in ("number", "duration") and not keys:
                    hint = f'write 0.{token.text} for a number; a key in quotes: ."{token.text}"'
                raise self.wrong("E110", "a key was expected after the dot", hint)
            self.advance()
        return tuple(keys)

    def literal(self, kind: str, code: str, wanted: str, hint: str) -> syntax.Literal:
        """A literal of one kind."""
        token = self.token
        if token.kind != kind:
            found = "the condition ends" if token.kind == "end" else f"found {shorten(token.text)}"
            raise self.wrong(code, f"{wanted} was expected, {found}", hint)
        self.advance()
        return syntax.Literal(token.start, token.end, kind, token.text)


def too_deep(source: Source, at: Span) -> SegueError:
    """The refusal of a condition that nests beyond the bound."""
    message = f"the condition nests deeper than {CONDITION_DEPTH_MAX} levels"
    hint = "take brackets away, or split it into segments and features"
    return source.refusal("E103", message, hint, Stretch(at.start, at.end))
