"""Both clients as one: what the asynchronous one gives to await is awaited, so that one test drives both."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from segue.client import AsyncClient, Client


class Awaited:
    """An AsyncClient with a loop of its own, used like a Client."""

    def __init__(self, runner: asyncio.Runner, client: AsyncClient) -> None:
        self._runner = runner
        self._client = client

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._client, name)

        def called(*words: Any, **named: Any) -> Any:
            async def within() -> Any:
                found = verb(*words, **named)
                return await found if inspect.isawaitable(found) else found

            found = self._runner.run(within())
            return self._rows(found) if hasattr(found, "__anext__") else found

        return called

    def _rows(self, found: Any) -> Iterator[Any]:
        while True:
            try:
                yield self._runner.run(found.__anext__())
            except StopAsyncIteration:
                return


@contextmanager
def clients(kind: str, url: str, **keys: Any) -> Iterator[Any]:
    """A client of a kind, "sync" or "async"."""
    if kind == "sync":
        with Client(url, **keys) as client:
            yield client
        return
    with asyncio.Runner() as runner:

        async def made() -> AsyncClient:
            return AsyncClient(url, **keys)

        awaited = Awaited(runner, runner.run(made()))
        try:
            yield awaited
        finally:
            awaited.close()
