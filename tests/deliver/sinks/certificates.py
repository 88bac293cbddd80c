"""Certificates for brokers of the loopback, signed by an authority of the tests; and another nobody is of."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")


@dataclass(frozen=True)
class Certificates:
    """PEM files: an authority, what it signed with its key, both in one, and a stranger to trust instead."""

    authority: Path
    certificate: Path
    key: Path
    both: Path
    stranger: Path


def make_certificates(folder: Path, address: str) -> Certificates:
    """Fresh ones for a server of this address; the key is in PKCS 8, as Java wants it."""
    folder.mkdir(parents=True, exist_ok=True)
    authority, stranger = _authority(folder, "authority"), _authority(folder, "stranger")
    certificate, key = folder / "server.pem", folder / "server.key"
    _openssl(
        folder, "req", "-x509", *_KEY, "-days", "2", "-subj", "/CN=server", "-keyout", key,
        "-out", certificate, "-CA", authority, "-CAkey", authority.with_suffix(".key"),
        "-addext", f"subjectAltName=IP:{address}", "-addext", "extendedKeyUsage=serverAuth",
        "-addext", "basicConstraints=critical,CA:FALSE",
    )  # fmt: skip
    both = folder / "both.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes() + authority.read_bytes())
    return Certificates(authority, certificate, key, both, stranger)


def _authority(folder: Path, name: str) -> Path:
    found = folder / f"{name}.pem"
    _openssl(
        folder, "req", "-x509", *_KEY, "-days", "2", "-subj", f"/CN={name}", "-out", found,
        "-keyout", found.with_suffix(".key"), "-addext", "keyUsage=critical,keyCertSign,cRLSign",
    )  # fmt: skip
    return found


def _openssl(folder: Path, *words: str | Path) -> None:
    done = subprocess.run(["openssl", *map(str, words)], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
