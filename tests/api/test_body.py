"""Bodies are unpacked within bounds, whatever their headers promise."""

from __future__ import annotations

import gzip
import zlib

import pytest

from segue.api.body import decompressed
from segue.domain.errors import SegueError
from segue.domain.limits import BODY_BYTES_MAX

TEXT = b'{"batch": []}'


def raw_deflate(text: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(text) + packer.flush()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (TEXT, None),
        (TEXT, b"identity"),
        (gzip.compress(TEXT, mtime=0), b"gzip"),
        (gzip.compress(TEXT, mtime=0), b" GZIP "),
        (gzip.compress(TEXT, mtime=0), None),
        (gzip.compress(TEXT[:5], mtime=0) + gzip.compress(TEXT[5:], mtime=0), b"gzip"),
        (zlib.compress(TEXT), b"deflate"),
        (raw_deflate(TEXT), b"deflate"),
        (TEXT, b"gzip"),
        (TEXT, b"deflate"),
    ],
)
def test_unpacked(body: bytes, encoding: bytes | None) -> None:
    assert decompressed(body, encoding) == TEXT


def test_a_body_of_just_the_bound_fits() -> None:
    text = b" " * BODY_BYTES_MAX
    assert decompressed(gzip.compress(text), b"gzip") == text


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, raw_deflate])
def test_one_byte_more_does_not(pack: object) -> None:
    assert callable(pack)
    with pytest.raises(SegueError, match="E503"):
        decompressed(pack(b" " * (BODY_BYTES_MAX + 1)), b"deflate")


def test_members_of_gzip_share_one_bound() -> None:
    half = gzip.compress(b" " * (BODY_BYTES_MAX // 2 + 1))
    with pytest.raises(SegueError, match="E503"):
        decompressed(half + half, b"gzip")


def test_a_bomb_is_left_unexploded() -> None:
    layer = zlib.compressobj(wbits=31)
    bomb = b"".join(layer.compress(bytes(1 << 20)) for _ in range(200)) + layer.flush()
    assert len(bomb) < BODY_BYTES_MAX
    with pytest.raises(SegueError, match="E503"):
        decompressed(bomb, b"gzip")


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(TEXT, mtime=0)[:-1], b"gzip"),
        (b"\x1f\x8bnonsense", b"gzip"),
        (b"\xffnonsense", b"deflate"),
        (zlib.compress(TEXT)[:4], b"deflate"),
        (TEXT, b"br"),
        (TEXT, b"gzip, br"),
    ],
)
def test_what_cannot_be_unpacked(body: bytes, encoding: bytes) -> None:
    with pytest.raises(SegueError, match="E745"):
        decompressed(body, encoding)
