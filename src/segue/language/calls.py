"""What is written with brackets: aggregates with their events and windows, references, since and until."""

from __future__ import annotations

from collections.abc import Callable

from segue.language import syntax
from segue.language.cursor import Cursor
from segue.language.findings import suggestion
from segue.language.lexer import Token, text_of

EVENT_WORDS = ("page", "screen", "identify", "group", "alias", "any")
REFERENCES = ("segment", "list", "score", "cluster", "feature")
AGGREGATES = (
    "count", "sum", "avg", "min", "max", "distinct", "days", "last", "first", "latest", "earliest",
)  # fmt: skip
WINDOW_WORDS = ("last", "between", "since", "this", "next")
FUNCTIONS = (*AGGREGATES, "sessions", "sequence", "since", "until", *REFERENCES)

WINDOW_HINT = "windows: last 30d · between DATE and DATE · since DATE · since last(EVENT) · this session"
DATE_HINT = "write a date without quotes: 2026-11-27 or 2026-11-27T10:00:00Z"
EVENT_HINT = 'an event is a name in quotes, or one of page screen identify group alias any: count("Login")'


class CallParser(Cursor):
    """The part of the parser behind an opening bracket."""

    __slots__ = ()

    def call(self) -> syntax.Expression:
        """``NAME(…)``: one of FUNCTIONS."""
        name = self.advance()
        read = _CALLS.get(name.text)
        if read is None:
            known = ", ".join(FUNCTIONS)
            hint = suggestion(name.text, FUNCTIONS, f"there are {known}")
            raise self.wrong("E113", f"there is no function {name.text}", hint, name)
        self.deeper(2)
        node = read(self, name)
        self.depth -= 2
        return node

    def reference(self, name: Token) -> syntax.Expression:
        """``segment("…")`` and its like."""
        target = self.name_in_brackets(name.text)
        return syntax.Reference(name.start, self.last_end(), name.text, target)

    def elapsed(self, name: Token) -> syntax.Expression:
        """``since(TIME)`` and ``until(TIME)``."""
        opened = self.advance()
        time = self.expression(0)
        self.expect(")", opened)
        return syntax.Elapsed(name.start, self.last_end(), name.text, time)

    def aggregate(self, name: Token) -> syntax.Expression:
        """``NAME(EVENT[.path] [where …] [, WINDOW])``."""
        opened = self.advance()
        event = self.pattern()
        window = self.windows()
        self.expect(")", opened)
        return syntax.Aggregate(name.start, self.last_end(), name.text, event, window)

    def sessions(self, name: Token) -> syntax.Expression:
        """``sessions(WINDOW)``, or ``sessions()`` for all time."""
        opened = self.advance()
        window = None if self.token.text == ")" else self.window(nested=False)
        self.expect(")", opened)
        return syntax.Aggregate(name.start, self.last_end(), name.text, None, window)

    def sequence(self, name: Token) -> syntax.Expression:
        """``sequence(E1 then … En, within D [, WINDOW])``."""
        opened = self.advance()
        steps = [self.pattern()]
        while self.token.text == "then":
            self.advance()
            steps.append(self.pattern())
        if self.token.text != "," or self.peek().text != "within":
            if self.token.text not in (",", ")", ""):
                raise self.unexpected("then, or , within D was expected", ("then", "within"))
            hint = 'write sequence("A" then "B", within 1h)'
            raise self.wrong("E118", "a sequence says within what time it must happen", hint, name)
        self.advance()
        self.advance()
        within = self._duration("within")
        window = self.windows()
        self.expect(")", opened)
        return syntax.Sequence(name.start, self.last_end(), tuple(steps), within, window)

    def pattern(self) -> syntax.Pattern:
        """``EVENT[.path] [where CONDITION]``."""
        token = self.token
        if token.kind == "text":
            kind, name = "track", text_of(self.source, token)
        elif token.text in EVENT_WORDS:
            kind, name = token.text, None
        elif token.kind == "word":
            hint = f'write "{token.text}" in quotes, or one of {" ".join(EVENT_WORDS)}'
            raise self.wrong("E114", f"{token.text} is no event: event names stand in quotes", hint)
        else:
            raise self.wrong("E114", "an event was expected here", EVENT_HINT)
        self.advance()
        path = self.path()
        where = None
        if self.token.text == "where":
            self.advance()
            where = self.expression(0)
        return syntax.Pattern(token.start, self.last_end(), kind, name, path, where)

    def windows(self) -> syntax.Window | None:
        """``, WINDOW`` after an event, or nothing."""
        if self.token.text in WINDOW_WORDS:
            hint = f"write , {self.token.text} …"
            raise self.wrong("E116", "a comma is missing before the window", hint)
        if self.token.text != ",":
            return None
        self.advance()
        window = self.window(nested=True)
        if self.token.text == ",":
            hint = "keep one; a narrower question needs a second aggregate"
            raise self.wrong("E116", "an aggregate takes one window", hint)
        return window

    def window(self, nested: bool) -> syntax.Window:
        """One WINDOW; ``nested`` False refuses the ones that need another event."""
        token = self.token
        word = token.text
        if word in ("last", "next"):
            self.advance()
            duration = self._duration(word)
            return syntax.LastWindow(token.start, duration.end, word, duration)
        if word == "between":
            return self._between()
        if word == "since":
            return self._since(nested)
        if word == "this" and self.peek().text == "session":
            if not nested:
                self._refuse_nested("this session")
            self.advance()
            return syntax.SessionWindow(token.start, self.advance().end)
        known = ("last", "between", "since", "this session")
        found = "" if token.kind == "end" else word
        raise self.wrong("E116", "a window was expected here", suggestion(found, known, WINDOW_HINT))

    def _duration(self, word: str) -> syntax.Literal:
        hint = f"write {word} 30d; units are ms s m h d w y"
        return self.literal("duration", "E116", f"a duration after {word}", hint)

    def _between(self) -> syntax.Window:
        start = self.advance().start
        since = self._date("between")
        if self.token.text != "and":
            hint = "write between 2026-11-27 and 2026-12-01"
            raise self.wrong("E116", "and was expected between the two dates", hint)
        self.advance()
        until = self._date("and")
        return syntax.DatesWindow(start, until.end, since, until)

    def _since(self, nested: bool) -> syntax.Window:
        start = self.advance().start
        which = self.token.text
        if which not in ("last", "first") or self.peek().text != "(":
            date = self._date("since")
            return syntax.DatesWindow(start, date.end, date, None)
        if not nested:
            self._refuse_nested(f"since {which}(…)")
        self.advance()
        opened = self.advance()
        event = self.pattern()
        window = None
        if self.token.text == ",":
            self.advance()
            window = self.window(nested=False)
        self.expect(")", opened)
        return syntax.EventWindow(start, self.last_end(), which, event, window)

    def _date(self, word: str) -> syntax.Literal:
        return self.literal("date", "E116", f"a date after {word}", DATE_HINT)

    def _refuse_nested(self, window: str) -> None:
        hint = "use last D, between DATE and DATE or since DATE here"
        raise self.wrong("E216", f"{window} cannot be the window here", hint)


_CALLS: dict[str, Callable[[CallParser, Token], syntax.Expression]] = {
    **dict.fromkeys(AGGREGATES, CallParser.aggregate),
    **dict.fromkeys(REFERENCES, CallParser.reference),
    "sessions": CallParser.sessions,
    "sequence": CallParser.sequence,
    "since": CallParser.elapsed,
    "until": CallParser.elapsed,
}
