"""A headless Chromium that tests drive over its DevTools protocol: tabs, the network, what pages store."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.api.serving import eventually
from tests.sdk.browser import NAMES, launched

INSECURE_HOST = "shop.test"
"""Leads here too, but a browser trusts it less than 127.0.0.1: no locks, for one."""

_FLAGS = ("--remote-debugging-port=0", "--remote-allow-origins=*", "--window-size=800,600", "about:blank")


def found() -> str | None:
    """The path of a Chromium on this machine."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class PageError(Exception):
    """What a page threw while a test asked it something."""


class Chromium:
    """A browser; ``profile`` is the id of what its tabs share, nothing of which outlives :meth:`visitor`."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self.profile = ""
        self.events: list[tuple[str, str, Any]] = []
        """(session, method, parameters) of all that was told."""

    def ask(self, method: str, session: str | None = None, **parameters: Any) -> Any:
        """The result of one command."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        while True:
            told = json.loads(self._socket.recv())
            if told.get("id") == self._number:
                if "error" in told:
                    raise PageError(told["error"]["message"])
                return told["result"]
            self.events.append((told.get("sessionId", ""), told.get("method", ""), told.get("params")))

    @contextmanager
    def visitor(self) -> Iterator[None]:
        """Somebody whose browser holds nothing yet, and forgets everything in the end."""
        before, self.profile = self.profile, self.ask("Target.createBrowserContext")["browserContextId"]
        try:
            yield
        finally:
            self.ask("Target.disposeBrowserContext", browserContextId=self.profile)
            self.profile = before
            self.events.clear()

    def tab(self, url: str = "about:blank", before: str = "", offline: bool = False) -> Tab:
        """A new tab; ``before`` runs in each of its pages ahead of the page's own scripts."""
        target = self.ask("Target.createTarget", url="about:blank", browserContextId=self.profile)["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, target, session)
        tab.ask("Page.enable")
        tab.ask("Network.enable")
        tab.ask("Runtime.enable")
        if before:
            tab.ask("Page.addScriptToEvaluateOnNewDocument", source=before)
        if offline:
            tab.offline(True)
        if url != "about:blank":
            tab.visit(url)
        return tab


class Tab:
    """One tab."""

    def __init__(self, browser: Chromium, target: str, session: str) -> None:
        self._browser = browser
        self._target = target
        self._session = session

    def ask(self, method: str, **parameters: Any) -> Any:
        """The result of one command to this tab."""
        return self._browser.ask(method, self._session, **parameters)

    def visit(self, url: str) -> None:
        """Goes to a page, and waits until it and its modules have run."""
        self.run("window.before = true")
        self.ask("Page.navigate", url=url)
        eventually(lambda: self.run("!window.before && document.readyState === 'complete'"))

    def run(self, script: str) -> Any:
        """The value of an expression, awaited when it is a promise; the page may be on its way to another."""
        found = self.ask(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        if "exceptionDetails" in found:
            details = found["exceptionDetails"]
            raise PageError(details.get("exception", {}).get("description") or details["text"])
        return found["result"].get("value")

    def offline(self, off: bool) -> None:
        """Takes the tab's network away, or gives it back."""
        self.ask(
            "Network.emulateNetworkConditions",
            offline=off,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=-1,
        )

    def requests(self) -> list[str]:
        """The addresses that this tab's pages have asked for, in order."""
        self.ask("Runtime.evaluate", expression="0")  # whatever was told before is read now
        return [
            told["request"]["url"]
            for session, method, told in self._browser.events
            if session == self._session and method == "Network.requestWillBeSent"
        ]

    def sockets(self) -> list[str]:
        """The addresses that this tab's pages have opened WebSockets to."""
        self.ask("Runtime.evaluate", expression="0")
        return [
            told["url"]
            for session, method, told in self._browser.events
            if session == self._session and method == "Network.webSocketCreated"
        ]

    def stored(self) -> dict[str, Any]:
        """All that pages of this tab's site keep in the browser."""
        origin = self.run("location.origin")
        indexed = self.ask("IndexedDB.requestDatabaseNames", securityOrigin=origin)["databaseNames"]
        found = {
            "local": self.run("({...localStorage})"),
            "session": self.run("({...sessionStorage})"),
            "cookies": self.ask("Network.getCookies")["cookies"],
            "databases": indexed,
            "caches": self.run("globalThis.caches ? caches.keys() : []"),
        }
        return {place: kept for place, kept in found.items() if kept}

    def close(self) -> None:
        """Closes the tab as its user would."""
        self._browser.ask("Target.closeTarget", targetId=self._target)


@contextmanager
def chromium() -> Iterator[Chromium]:
    """A browser; it and its profile are gone after the block."""
    with (
        launched(*_FLAGS, near=INSECURE_HOST) as (process, profile),
        connect(_door(profile, process), max_size=None, ping_interval=None) as socket,
    ):
        yield Chromium(socket)


def _door(profile: Path, process: subprocess.Popen[bytes]) -> str:
    def look() -> str | None:
        assert process.poll() is None, "chromium ended"
        try:
            port, path = (profile / "DevToolsActivePort").read_text(encoding="utf-8").split()
        except (OSError, ValueError):
            return None
        return f"ws://127.0.0.1:{port}{path}"

    return eventually(look)
