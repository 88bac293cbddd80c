"""Texts that do harm where they are taken for more than text: markup, queries, paths, headers, formulas."""

from __future__ import annotations

from itertools import product

MARK = "segue7x7"
"""Stands in each payload, so that it is found again in whatever form."""

_SCRIPTS = [
    f"<script>{MARK}()</script>", f"<img src=x onerror={MARK}()>", f"<svg/onload={MARK}()>",
    f"<body onload={MARK}()>", f"<iframe src=javascript:{MARK}()>", f"<a href=javascript:{MARK}()>x</a>",
    f"<details open ontoggle={MARK}()>", f"<math><mi xlink:href=javascript:{MARK}()>",
    f"<style>@import '{MARK}'",
    f"<meta http-equiv=refresh content='0;url={MARK}'>", f"<base href=//{MARK}>", f"<!--{MARK}--!><b>",
]  # fmt: skip
_BREAKS = [
    "{}",
    "\"'>{}",
    "</title>{}",
    "</textarea>{}",
    "-->{}",
    "]]>{}",
    "\\u003c{}",
    "'-{}-'",
    "`{}`",
    "\x00{}",
]
_QUERIES = [
    f"' OR '{MARK}'='{MARK}", f"'; DROP TABLE events; -- {MARK}", f"\" OR \"{MARK}\"=\"{MARK}",
    f"1) OR ({MARK}=1",
    f"' UNION SELECT '{MARK}' --", f"\\'; ATTACH '{MARK}' --", f"%{MARK}%", f"_{MARK}_",
    f"{MARK}%' ESCAPE '!",
    f"'||'{MARK}'||'", f"$${MARK}$$", f"/*{MARK}*/", f"{MARK}; COPY (SELECT 1) TO '{MARK}'", f"[{MARK}]",
    f"' AND 1=CAST('{MARK}' AS INT) --", f"{MARK}' GLOB '*", f"read_csv('{MARK}')",
    f"{{\"$ne\": \"{MARK}\"}}",
]  # fmt: skip
_PATHS = [
    f"../../../../etc/{MARK}", f"..\\..\\{MARK}", f"/etc/{MARK}", f"C:\\{MARK}", f"file:///etc/{MARK}",
    f"....//....//{MARK}", f"%2e%2e%2f{MARK}", f"%252e%252e%252f{MARK}", f"..%c0%af{MARK}", f"./{MARK}/.",
    f"{MARK}/../{MARK}", f"~/{MARK}", f"//{MARK}/x", f"{MARK}\x00.yaml", f"con/{MARK}", f".{MARK}",
]  # fmt: skip
_LINES = [
    f"x\r\nX-Injected: {MARK}", f"x\nX-Injected: {MARK}", f"x\rX-Injected: {MARK}", f"x\r\n\r\n<b>{MARK}</b>",
    f"x%0d%0aX-Injected:%20{MARK}", f"x\u2028X-Injected: {MARK}", f"x\u0085X-Injected: {MARK}",
    f"x\x0b{MARK}",
    f"\x1b[31m{MARK}\x1b[0m", f"\x1b]0;{MARK}\x07", f"\x08\x08{MARK}", f"x嘊嘍X-Injected: {MARK}",
]  # fmt: skip
_FORMULAS = [
    f"{sign}{body}"
    for sign, body in product(
        ("=", "+", "-", "@", "\t=", "\r="),
        (f"cmd|'/C {MARK}'!A0", f'HYPERLINK("//{MARK}")', f"1+1+{MARK}", f"SUM({MARK})"),
    )
]
_TEMPLATES = [
    f"{{{{7*7}}}}{MARK}", f"${{7*7}}{MARK}", f"<%= 7*7 %>{MARK}", f"#{{7*7}}{MARK}", f"{{%print({MARK})%}}",
    f"{{0.__class__}}{MARK}", f"%(x)s{MARK}", f"%n%n%n{MARK}", f"${{jndi:ldap://{MARK}}}", f"__proto__{MARK}",
    f"constructor.{MARK}", f"$({MARK})", f"`{MARK}`", f"; {MARK} ;", f"| {MARK}", f"&& {MARK}",
]  # fmt: skip
_TEXTS = [
    f"\u202e{MARK}", f"\u200b{MARK}", f"\ufeff{MARK}", f"{MARK}\ufffe", f"é{MARK}", f"e\u0301{MARK}",
    f"ß{MARK}", f"İ{MARK}",
    f"ﬀ{MARK}", f"𝕏{MARK}", f"{MARK}\U0001f600", f"{MARK}" + "A" * 900, f" {MARK} ", f"\t{MARK}",
    f"NaN{MARK}",
    f"null{MARK}", f"true{MARK}", f"-0{MARK}", f"1e999{MARK}", f"anon:{MARK}", f"forgotten{MARK}",
    f"?{MARK}=1",
    f"#{MARK}", f"{MARK};v=1", f"{MARK}&a=b", f"%ff{MARK}", f"%00{MARK}", f"%{MARK}", f"+{MARK}",
    f"{MARK}/segments",
]  # fmt: skip


def payloads() -> list[str]:
    """More than five hundred, each once."""
    framed = [frame.format(text) for frame, text in product(_BREAKS, _SCRIPTS)]
    in_urls = [text.replace("<", "%3C").replace(">", "%3E") for text in _SCRIPTS]
    doubled = [
        f"{text}{other}" for text, other in product(_QUERIES[:10], _LINES[:4] + _PATHS[:4] + _TEMPLATES[:8])
    ]
    plain = [*_QUERIES, *_PATHS, *_LINES, *_FORMULAS, *_TEMPLATES, *_TEXTS]
    quoted = [f"'{text}" for text in plain] + [f'"{text}' for text in plain[:60]]
    return list(dict.fromkeys([*framed, *in_urls, *plain, *doubled, *quoted]))


def shown_raw(page: str, payload: str) -> bool:
    """Whether a page of HTML holds a payload as it was sent, with a bracket or a quote in it."""
    return MARK in page and any(char in payload and payload in page for char in "<>\"'")
