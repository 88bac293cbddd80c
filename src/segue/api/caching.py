"""What caches between reader and server may keep, and how it is told apart."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from segue.access.principal import Principal
from segue.api.answer import Answer, Header
from segue.api.request import Request
from segue.deliver.tags import EVERYTHING, Tags

REVALIDATE: Header = (b"cache-control", b"private, max-age=0, must-revalidate")


@dataclass(frozen=True, slots=True)
class Caching:
    """The headers of answers. ``seconds`` is how long a shared cache may hold them; 0 when there is none."""

    tags: Tags
    seconds: int = 0

    def profile(self, row: int, held: bool) -> tuple[Header, ...]:
        """Of an answer about one profile; ``held`` says that every change of it is told to caches."""
        return self._headers(self.tags.profile(row), held)

    def segment(self, name: str, held: bool) -> tuple[Header, ...]:
        """Of an answer about the members of one segment now."""
        return self._headers(self.tags.segment(name), held)

    def _headers(self, tag: str, held: bool) -> tuple[Header, ...]:
        key: Header = (b"surrogate-key", f"{EVERYTHING} {tag}".encode())
        if not (held and self.seconds):
            return (REVALIDATE, key)
        # Browsers ask every time; a shared cache answers them, each credential for itself.
        shared = b"public, max-age=0, s-maxage=%d, must-revalidate" % self.seconds
        return ((b"cache-control", shared), (b"vary", b"Authorization"), key)


def may_be_held(principal: Principal) -> bool:
    """Whether a cache may answer this asker by itself: it can tell keys apart, but not when a token ends.

    Nor can it tell this machine from another, which matters while there are no keys.
    """
    return principal.credential is not None and principal.reads_all and principal.expires is None


def tag_of(content: bytes) -> bytes:
    """The ETag of a content: equal for equal contents, on every run and machine."""
    return b'"%s"' % urlsafe_b64encode(hashlib.blake2b(content, digest_size=12).digest())


def unless_known(request: Request, tag: bytes, answer: Answer) -> Answer:
    """The answer, or that it is unchanged when If-None-Match names its tag, weakly or not."""
    asked = request.header(b"if-none-match")
    if asked is None:
        return answer
    named = [each.strip().removeprefix(b"W/") for each in asked.split(b",")]
    if tag not in named and named != [b"*"]:
        return answer
    kept = tuple(header for header in answer.headers if header[0] != b"content-encoding")
    return Answer(304, headers=kept)
