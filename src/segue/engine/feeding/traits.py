"""Traits of profiles and accounts: per top-level key the value with the greatest (timestamp, seq)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from segue.domain.event import Json

Dated = tuple[int, int, Json]
"""(timestamp, seq, value)."""


def write_latest(held: dict[str, Dated], traits: Mapping[str, Json], timestamp: int, seq: int) -> list[str]:
    """Write each key unless it holds something later; the keys that were written."""
    written = []
    for key, value in traits.items():
        before = held.get(key)
        if before is None or (before[0], before[1]) < (timestamp, seq):
            held[key] = (timestamp, seq, value)
            written.append(key)
    return written


def _value(held: Mapping[str, Dated], key: str) -> Json:
    dated = held.get(key)
    return None if dated is None else dated[2]


class Traits:
    """Traits by row."""

    def __init__(self) -> None:
        self._held: dict[int, dict[str, Dated]] = {}

    def write(self, row: int, traits: Mapping[str, Json], timestamp: int, seq: int) -> list[str]:
        """Take up what an identify call says; the keys that changed."""
        return write_latest(self._held.setdefault(row, {}), traits, timestamp, seq)

    def of(self, row: int) -> dict[str, Json]:
        """A profile's traits; None stands for one that was taken back."""
        return {key: dated[2] for key, dated in self._held.get(row, {}).items()}

    def merge(self, absorbed: int, survivor: int) -> None:
        """Give one profile's traits to another."""
        theirs = self._held.pop(absorbed, None)
        if theirs:
            ours = self._held.setdefault(survivor, {})
            for key, (timestamp, seq, value) in theirs.items():
                write_latest(ours, {key: value}, timestamp, seq)

    def forget(self, row: int) -> None:
        """Erase a profile's traits."""
        self._held.pop(row, None)

    def items(self) -> Iterable[tuple[int, dict[str, Dated]]]:
        """All that is held, by row."""
        return self._held.items()

    def restore(self, row: int, held: dict[str, Dated]) -> None:
        """Put back what :meth:`items` gave."""
        self._held[row] = held


class Accounts:
    """Traits by account, and the account of each row: that of its last group call in order."""

    def __init__(self) -> None:
        self._traits: dict[str, dict[str, Dated]] = {}
        self._account: dict[int, tuple[int, int, str]] = {}
        self._members: dict[str, set[int]] = {}

    def write(self, account: str, traits: Mapping[str, Json], timestamp: int, seq: int) -> list[str]:
        """Take up what a group call says of the account; the keys that changed."""
        return write_latest(self._traits.setdefault(account, {}), traits, timestamp, seq)

    def give(self, account: str, held: dict[str, Dated]) -> list[str]:
        """Put other traits in the place of an account's; the keys of which the value changed."""
        before = self._traits.get(account, {})
        self._traits[account] = held
        keys = {**before, **held}
        return [key for key in keys if _value(before, key) != _value(held, key)]

    def join(self, row: int, account: str, timestamp: int, seq: int) -> bool:
        """Take up what a group call says of the profile; whether its account changed."""
        before = self._account.get(row)
        if before is not None and (before[0], before[1]) > (timestamp, seq):
            return False
        self._account[row] = (timestamp, seq, account)
        if before is not None:
            if before[2] == account:
                return False
            self._members[before[2]].discard(row)
        self._members.setdefault(account, set()).add(row)
        return True

    def account_of(self, row: int) -> str | None:
        """The profile's account."""
        found = self._account.get(row)
        return None if found is None else found[2]

    def traits_of(self, account: str) -> dict[str, Json]:
        """An account's traits."""
        return {key: dated[2] for key, dated in self._traits.get(account, {}).items()}

    def members(self, account: str) -> set[int]:
        """Rows whose account it is."""
        return self._members.get(account, set())

    def merge(self, absorbed: int, survivor: int) -> None:
        """The later of two profiles' group calls decides."""
        theirs = self._account.get(absorbed)
        self.forget(absorbed)
        if theirs is not None:
            self.join(survivor, theirs[2], theirs[0], theirs[1])

    def forget(self, row: int) -> None:
        """Take a profile out of its account."""
        found = self._account.pop(row, None)
        if found is not None:
            self._members[found[2]].discard(row)

    def saved(self) -> tuple[dict[str, dict[str, Dated]], dict[int, tuple[int, int, str]]]:
        """(traits by account, account by row), to be restored."""
        return self._traits, self._account

    def restore(self, traits: dict[str, dict[str, Dated]], accounts: dict[int, tuple[int, int, str]]) -> None:
        """Put back what :meth:`saved` gave."""
        self._traits, self._account, self._members = traits, accounts, {}
        for row, (_, _, account) in accounts.items():
            self._members.setdefault(account, set()).add(row)
