"""The pixel of docs/sdks.md, in a mail as a program shows it: pictures, and no scripts."""

from __future__ import annotations

import re
from urllib.parse import quote

from tests.api.serving import eventually
from tests.browser.tracked import Shop, settled
from tests.sdk.driving import ROOT, events_of

PAGE = (ROOT / "docs" / "sdks.md").read_text(encoding="utf-8")


def mail(shop: Shop, user: str, mailing: str) -> str:
    """What a mail program makes of the example."""
    found = re.search(r"^### Mail\n.*?^```html\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    text = found[1].replace("https://events.shop.example", str(shop.server.http.base_url).rstrip("/"))
    for name, value in (("{{user}}", user), ("{{mailing}}", mailing)):
        text = text.replace(name, quote(value, safe=""))
    return text.replace("WRITE_KEY", "wk_test")


def opened(shop: Shop) -> None:
    """Somebody looks at the mail."""
    tab = shop.browser.tab()
    tab.ask("Emulation.setScriptExecutionDisabled", value=True)
    tab.ask("Page.navigate", url=shop.site.url())
    eventually(lambda: any("/v1/pixel/" in each for each in tab.requests()))
    settled(lambda: len(tab.requests()))
    tab.close()


def test_a_mail_tells_that_it_was_opened(shop: Shop) -> None:
    """Once for each mailing, however often it is opened; the id is what the mail program was given."""
    user = "ida & co"
    for mailing in ("spring sale", "summer", "summer"):
        shop.site.put(mail(shop, user, mailing))
        opened(shop)
    eventually(lambda: len(events_of(shop.server, user)) >= 2)
    found = events_of(shop.server, user)[::-1]
    assert [each["name"] for each in found] == ["Email Opened", "Email Opened"]
    assert [each["properties"] for each in found] == [{"mailing": "spring sale"}, {"mailing": "summer"}]
