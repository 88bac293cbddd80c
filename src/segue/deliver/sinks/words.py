"""Faults of connections in a line: a refused login and a certificate that does not hold are called so."""

from __future__ import annotations

import ssl

CERTIFICATE = "the certificate does not hold"
LOGIN = "the login is refused"


def words(fault: BaseException, login: type[BaseException] | tuple[type[BaseException], ...] = ()) -> str:
    """What went wrong; ``login`` are faults that say that a broker does not take who asks."""
    said = " ".join(str(fault).split()) or type(fault).__name__
    certificate = _certificate(fault)
    if certificate is not None:
        return f"{CERTIFICATE}: {certificate.verify_message}"
    return f"{LOGIN}: {said}" if isinstance(fault, login) else said


def _certificate(fault: BaseException) -> ssl.SSLCertVerificationError | None:
    """What libraries wrap into a fault of their own; of some the causes go round in a circle."""
    seen: list[BaseException] = []
    found: BaseException | None = fault
    while found is not None and found not in seen:
        if isinstance(found, ssl.SSLCertVerificationError):
            return found
        seen.append(found)
        found = found.__cause__ or found.__context__
    return None
