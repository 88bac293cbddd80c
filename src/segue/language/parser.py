"""Tokens become a syntax tree: operator precedence, by how tightly each sign binds."""

from __future__ import annotations

from segue.domain.errors import Diagnostic, SegueError
from segue.domain.limits import CONDITION_DEPTH_MAX, FINDINGS_MAX
from segue.language import syntax
from segue.language.calls import CallParser
from segue.language.cursor import INFIX_WORDS, too_deep
from segue.language.findings import Source, shorten, suggestion
from segue.language.lexer import Comment, Stretch, Token, text_of, tokens_of
from segue.language.printer import COMPARISON, LOOSEST, NEGATION, NOT, POWERS, inline

COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
VALUE_HINT = 'a value or a condition belongs here, for example count("Login", last 7d) > 0'


def parse(source: Source) -> tuple[syntax.Expression, list[Comment], list[Token]]:
    """The syntax tree of a condition or operand, with its comments and tokens.

    Raises SegueError (E1xx) with the first place that cannot be read of each part that
    ``and`` and ``or`` join outside of brackets.
    """
    tokens, comments = tokens_of(source)
    if tokens[0].kind == "end":
        hint = "write a condition, for example: true"
        raise source.refusal("E101", "there is no condition here", hint, Stretch(0, 1))
    tree = _parsed(Parser(source, tokens))
    if len(tokens) > CONDITION_DEPTH_MAX:
        _measure(source, tree)
    return tree, comments, tokens


def _parsed(parser: Parser) -> syntax.Expression:
    found: list[Diagnostic] = []
    while True:
        try:
            tree = parser.expression(LOOSEST)
            parser.finish()
        except SegueError as refused:
            found.extend(refused.diagnostics)
            if len(found) < FINDINGS_MAX and parser.resume():
                continue
        if found:
            raise SegueError(*found)
        return tree


class Parser(CallParser):
    """One reading of one text."""

    __slots__ = ("resumed",)

    def __init__(self, source: Source, tokens: list[Token]) -> None:
        super().__init__(source, tokens)
        self.resumed = 0

    def expression(self, floor: int) -> syntax.Expression:
        """The expression that starts here, up to an operator that binds no tighter than ``floor``."""
        self.deeper(1)
        left = self._prefix()
        while (power := POWERS.get(self.token.text, LOOSEST)) > floor:
            left = self._infix(left, power)
        self.depth -= 1
        return left

    def finish(self) -> None:
        """Refuse what is left over."""
        if self.token.text == ")":
            raise self.wrong("E119", "this ) closes nothing", "remove it, or add the ( it belongs to")
        if self.token.kind != "end":
            raise self.unexpected(
                f"an operator was expected: {', '.join(INFIX_WORDS)}, ==, <, + and their like"
            )

    def resume(self) -> bool:
        """Step behind the next ``and`` or ``or`` outside of brackets, to read on after a refusal."""
        if self.depth > CONDITION_DEPTH_MAX:
            return False
        opened = 0
        for at, token in enumerate(self.tokens[self.resumed :], self.resumed):
            if token.text in ("(", "["):
                opened += 1
            elif token.text in (")", "]"):
                opened = max(0, opened - 1)
            elif at >= self.at and opened == 0 and token.text in ("and", "or"):
                self.at = self.resumed = at + 1
                self.token = self.tokens[self.at]
                self.depth = 0
                return True
        return False

    def _prefix(self) -> syntax.Expression:
        token = self.token
        match token.kind:
            case "word":
                return self._word()
            case "text":
                self.advance()
                return syntax.Literal(token.start, token.end, "text", text_of(self.source, token))
            case "number" | "duration" | "date":
                self.advance()
                return syntax.Literal(token.start, token.end, token.kind, token.text)
        match token.text:
            case "(":
                self.advance()
                inner = self.expression(LOOSEST)
                self.expect(")", token)
                return inner
            case "-":
                self.advance()
                operand = self.expression(NEGATION)
                return syntax.Negative(token.start, operand.end, operand)
            case ".":
                path = self.path()
                return syntax.Path(token.start, self.last_end(), "", path)
        raise self.unexpected(VALUE_HINT)

    def _word(self) -> syntax.Expression:
        token = self.token
        match token.text:
            case "not":
                self.advance()
                part = self.expression(NOT)
                return syntax.Not(token.start, part.end, part)
            case "true" | "false":
                self.advance()
                return syntax.Literal(token.start, token.end, "truth", token.text)
            case "and" | "or":
                raise self.wrong("E110", f"something is missing before {token.text}", VALUE_HINT)
        following = self.peek().text
        if following == "(":
            return self.call()
        self.advance()
        if following == "." and token.text in ("trait", "group", "context"):
            path = self.path()
            return syntax.Path(token.start, self.last_end(), token.text, path)
        path = (token.text, *self.path())
        return syntax.Path(token.start, self.last_end(), "", path)

    def _infix(self, left: syntax.Expression, power: int) -> syntax.Expression:
        op = self.token.text
        if power == COMPARISON:
            node = self._comparison(left)
            if POWERS.get(self.token.text) == COMPARISON:
                self._refuse_chain(node)
            return node
        if op in ("and", "or"):
            parts = [left]
            while self.token.text == op:
                self.advance()
                parts.append(self.expression(power))
            return syntax.Logic(left.start, parts[-1].end, op, tuple(parts))
        self.advance()
        right = self.expression(power)
        return syntax.Arithmetic(left.start, right.end, op, left, right)

    def _comparison(self, left: syntax.Expression) -> syntax.Expression:
        op = self.advance().text
        if op in COMPARISONS:
            right = self.expression(COMPARISON)
            return syntax.Compare(left.start, right.end, op, left, right)
        if op == "in":
            return self._in(left, negated=False)
        if op == "is":
            return self._presence(left)
        if op == "contains":
            return self._match(left, op)
        if op == "not":
            if self.token.text != "in":
                hint = 'write not in [...], or not before the whole: not (trait.plan contains "pro")'
                raise self.wrong("E110", "in was expected after not", hint)
            self.advance()
            return self._in(left, negated=True)
        if self.token.text != "with":
            hint = f'write trait.email {op} with "…"'
            raise self.wrong("E110", f"with was expected after {op}", hint)
        self.advance()
        return self._match(left, f"{op} with")

    def _match(self, left: syntax.Expression, op: str) -> syntax.Expression:
        part = self.expression(COMPARISON)
        return syntax.Match(left.start, part.end, op, left, part)

    def _presence(self, left: syntax.Expression) -> syntax.Expression:
        word = self.token.text
        if word not in ("missing", "present"):
            hint = suggestion(word, ("missing", "present"), "write is missing, is present, or == for a value")
            raise self.wrong("E110", "missing or present was expected after is", hint)
        end = self.advance().end
        return syntax.Presence(left.start, end, left, word == "missing")

    def _in(self, left: syntax.Expression, negated: bool) -> syntax.Expression:
        opened = self.token
        if opened.text != "[":
            raise self.wrong(
                "E120", "a list in square brackets was expected after in", 'write in ["pro", "team"]'
            )
        self.advance()
        if self.token.text == "]":
            raise self.wrong("E120", "this list is empty", 'name at least one value: ["pro", "team"]', opened)
        values = [self._element()]
        while self.token.text == ",":
            self.advance()
            values.append(self._element())
        self.expect("]", opened)
        return syntax.In(left.start, self.last_end(), left, tuple(values), negated)

    def _element(self) -> syntax.Literal:
        token = self.token
        if token.kind == "text":
            self.advance()
            return syntax.Literal(token.start, token.end, "text", text_of(self.source, token))
        if token.text in ("true", "false"):
            self.advance()
            return syntax.Literal(token.start, token.end, "truth", token.text)
        if token.text == "-" and self.peek().kind == "number":
            self.advance()
            number = self.advance()
            return syntax.Literal(token.start, number.end, "number", f"-{number.text}")
        if token.kind in ("number", "duration", "date"):
            self.advance()
            return syntax.Literal(token.start, token.end, token.kind, token.text)
        hint = 'a list holds texts, numbers, true and false: ["pro", 5, true]'
        raise self.wrong("E120", "a literal was expected in this list", hint)

    def _refuse_chain(self, node: syntax.Expression) -> None:
        hint = "join two tests with and, for example: trait.age >= 18 and trait.age < 30"
        if isinstance(node, syntax.Compare) and self.token.text in COMPARISONS:
            rest = f"{shorten(inline(node.right))} {self.token.text} …"
            hint = f"join two comparisons with and: {self.source.quote(node)} and {rest}"
        raise self.wrong("E112", "comparisons do not chain", hint)


def _measure(source: Source, tree: syntax.Expression) -> None:
    """Refuse a tree that is too high: a long chain of + nests as brackets do."""
    level: list[syntax.Expression | syntax.Pattern | syntax.Window] = [tree]
    height = 0
    while level:
        height += 1
        if height > CONDITION_DEPTH_MAX:
            raise too_deep(source, level[0])
        level = [part for node in level for part in syntax.parts_of(node) if part is not None]
