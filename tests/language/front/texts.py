"""Random conditions as people might type them: any spacing, quotes, brackets and comments."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from segue.language.findings import Source
from segue.language.lexer import tokens_of
from segue.language.printer import key, quoted

_ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_WORDS = st.sampled_from(["plan", "price", "count", "last", "is", "trait", "not", "true", "within", "été"])


def _single(text: str) -> str:
    return "'" + quoted(text)[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"


texts = st.builds(lambda text, way: way(text), _ANY_TEXT, st.sampled_from([quoted, _single]))
keys = _WORDS | _ANY_TEXT.map(key)
paths = st.lists(keys, min_size=1, max_size=3).map(lambda parts: "".join([f".{part}" for part in parts]))
numbers = (
    st.integers(0, 10**12).map(str)
    | st.decimals(0, 9 * 10**12, places=6, allow_nan=False).map(lambda number: f"{number:f}")
    | st.sampled_from(["0.1", "1e3", "25E-2", "007"])
)
units = st.sampled_from(["ms", "s", "m", "h", "d", "w", "y"])
durations = st.builds("{}{}".format, st.integers(0, 999), units)
_days = st.dates(date(1900, 1, 1), date(2999, 12, 31)).map(str)
_moments = st.builds("{}T{}".format, _days, st.times().map(lambda time: time.isoformat("milliseconds")))
dates = _days | _moments.map("{}Z".format) | _moments.map("{}-02:00".format)
truths = st.sampled_from(["true", "false"])
orders = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
matters = st.sampled_from(["==", "!="])
events = texts | st.sampled_from(["page", "screen", "identify", "group", "alias", "any"])


@st.composite
def where_conditions(draw: st.DrawFn) -> str:
    """A condition on one event."""
    prop = draw(paths.map(lambda path: path) | paths.map(lambda path: f"context{path}"))
    return draw(
        _tests(st.just(prop)) | _tests(st.just(prop)).map(lambda test: f"(not {test} or {prop} == 1)")
    )


def _tests(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Tests of a value whose type nobody declared."""
    literals = texts | truths | numbers | numbers.map(lambda number: f"-{number}")
    lists = st.lists(literals, min_size=1, max_size=3).map(lambda each: f"[{', '.join(each)}]")
    return st.one_of(
        st.builds("{} {} {}".format, values, matters, literals),
        st.builds("{} {} {}".format, numbers, orders, values),
        st.builds("{} {} {}".format, values, orders, dates),
        st.builds("{} {} {}".format, values, orders, values),
        st.builds("{} {} {}".format, values, st.sampled_from(["in", "not in"]), lists),
        st.builds("{} contains {}".format, values, literals),
        st.builds("{} {} with {}".format, values, st.sampled_from(["starts", "ends"]), texts),
        st.builds("{} is {}".format, values, st.sampled_from(["missing", "present"])),
    )


@st.composite
def patterns(draw: st.DrawFn, path: bool = False) -> str:
    """An event, with a path when asked for, perhaps with where."""
    text = draw(events) + (draw(paths) if path else "")
    return f"{text} where {draw(where_conditions())}" if draw(st.booleans()) else text


@st.composite
def windows(draw: st.DrawFn, fixed: bool = False) -> str:
    """A window with its comma, or nothing."""
    between = "between 1999-12-31 and 2026-02-01T12:30+02:00"
    plain = (
        st.just("")
        | durations.map(", last {}".format)
        | dates.map(", since {}".format)
        | st.just(f", {between}")
    )
    if fixed or draw(st.booleans()):
        return draw(plain)
    if draw(st.booleans()):
        return ", this session"
    which = draw(st.sampled_from(["last", "first"]))
    return f", since {which}({draw(patterns())}{draw(plain)})"


@st.composite
def calls(draw: st.DrawFn, names: tuple[str, ...], path: bool = False) -> str:
    """An aggregate of one of these names."""
    return f"{draw(st.sampled_from(names))}({draw(patterns(path))}{draw(windows())})"


times = calls(("last", "first")) | paths.map(lambda path: f"trait{path}") | dates
values = st.one_of(
    paths.map(lambda path: f"trait{path}"),
    paths.map(lambda path: f"group{path}"),
    calls(("latest", "earliest"), path=True),
)


@st.composite
def sequences(draw: st.DrawFn) -> str:
    """A sequence of two or three steps."""
    steps = " then ".join(draw(st.lists(patterns(), min_size=2, max_size=3)))
    return f"sequence({steps}, within {draw(durations)}{draw(windows(fixed=True))})"


counted = st.one_of(
    calls(("count", "days")),
    calls(("sum", "avg", "min", "max", "distinct"), path=True),
    sequences(),
    windows(fixed=True).map(lambda window: f"sessions({window.removeprefix(', ')})"),
)
sums = st.recursive(
    numbers | counted | paths.map(lambda path: f"trait{path}"),
    lambda parts: st.one_of(
        st.builds("{} {} {}".format, parts, st.sampled_from("+-*/"), parts),
        parts.map("({})".format),
        parts.map("-{}".format),
    ),
    max_leaves=5,
)
leaves = st.one_of(
    truths,
    _tests(values),
    st.builds("{} {} {}".format, sums, orders, sums),
    st.builds("{} {} {}".format, calls(("last", "first")), orders, times),
    st.builds("{}({}) {} {}".format, st.sampled_from(["since", "until"]), times, orders, durations),
    st.builds("{} {} since({})".format, durations, orders, times),
    texts.map("segment({})".format),
    texts.map("list({})".format),
)
conditions = st.recursive(
    leaves,
    lambda parts: st.one_of(
        st.builds("{} {} {}".format, parts, st.sampled_from(["and", "or"]), parts),
        parts.map("({})".format),
        parts.map("not {}".format),
    ),
    max_leaves=8,
)
"""Conditions that hold together, on one line each."""

_BLANKS = st.sampled_from([" ", "  ", "\n", "\t", "\r\n", " \n\n  "])
_COMMENTS = _ANY_TEXT.map(lambda text: f" # {text}".replace("\n", "").replace("\r", "") + "\n")


@st.composite
def typed(draw: st.DrawFn) -> str:
    """A condition with blanks and comments anywhere between its tokens."""
    tokens, _ = tokens_of(Source(draw(conditions)))
    gaps = draw(st.lists(st.just(" ") | _BLANKS | _COMMENTS, min_size=1, max_size=6))
    return "".join([gaps[at % len(gaps)] + token.text for at, token in enumerate(tokens)])
