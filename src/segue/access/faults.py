"""Refusals at the doors. None of them repeats what was sent: it may be a key with one letter missing."""

from __future__ import annotations

import math

from segue.domain.errors import Diagnostic, SegueError, UsageError, refusal

NO_CREDENTIAL = "E760"
UNKNOWN_CREDENTIAL = "E761"
NOT_FOR_YOU = "E762"
SOURCE_OFF = "E763"
FOREIGN_ORIGIN = "E764"
TOO_FAST = "E765"
BAD_OPTION = "E766"
NO_KEY = "E767"
BAD_TOKEN_ORDER = "E768"


class TooFastError(SegueError):
    """A rate limit is reached; ``seconds`` is how long, in whole ones, until it is worth asking again."""

    def __init__(self, wait: float) -> None:
        self.seconds = max(1, math.ceil(wait))
        super().__init__(
            Diagnostic(TOO_FAST, "too many requests", f"come back after {self.seconds} s, and more slowly")
        )


def no_write_key() -> SegueError:
    """Nothing says which source sends."""
    hint = "send it as the user name of Basic, as a Bearer token, or as writeKey in the body or the query"
    return refusal(NO_CREDENTIAL, "the write key is missing", hint)


def no_read_key() -> SegueError:
    """Nothing says who reads."""
    hint = "send a read key or a user's token: Authorization: Bearer …"
    return refusal(NO_CREDENTIAL, "a key is missing", hint)


def unknown_key() -> SegueError:
    """The key is none, or is not valid any more: which of them is not told."""
    hint = "look at the whole key; `segue keys list` shows which are valid"
    return refusal(UNKNOWN_CREDENTIAL, "this key is not valid", hint)


def unknown_token() -> SegueError:
    """The token was not signed here, or has expired: which of them is not told."""
    return refusal(UNKNOWN_CREDENTIAL, "this token is not valid", "get a new one: they are short-lived")


def not_for_you() -> SegueError:
    """What is asked for is not this asker's to see or do, whether it exists or not."""
    hint = "ask with a key or token that may; docs/access.md says which"
    return refusal(NOT_FOR_YOU, "this is not open to the key or token that asks", hint)


def source_off() -> SegueError:
    """The source was switched off by hand."""
    return refusal(SOURCE_OFF, "source is disabled", "`segue keys on` switches it on again")


def foreign_origin() -> SegueError:
    """A page of another site uses the key."""
    hint = "name the site with --origin when the key is made"
    return refusal(FOREIGN_ORIGIN, "this key is not for pages of this origin", hint)


def bad_option(message: str, hint: str) -> UsageError:
    """A key is described in a way that no key can be."""
    return UsageError(Diagnostic(BAD_OPTION, message, hint))


def bad_token_order(message: str, hint: str) -> UsageError:
    """A token is asked for that is not given out."""
    return UsageError(Diagnostic(BAD_TOKEN_ORDER, message, hint))


def no_key(message: str, hint: str) -> SegueError:
    """A command names a key that there is not, or more than one."""
    return refusal(NO_KEY, message, hint)
