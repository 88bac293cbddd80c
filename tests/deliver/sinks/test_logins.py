"""Encrypted connections and logins, against real brokers with certificates of the tests' own authority."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from segue.deliver.sinks.kinds import Means, sink_of
from segue.deliver.sinks.sink import DELIVERED, Outcome, Retry
from segue.domain.errors import SegueError
from segue.segments.destinations.definition import Limits
from tests.deliver.sinks.brokers import LOOPBACK, PASSWORD, USER, Broker, KafkaServer
from tests.deliver.sinks.ends import End, local, messages

EndFor = Callable[[str], End]
ServerOf = Callable[[str], Broker | None]
KINDS = ("rabbitmq", "kafka", "redis")
PLAIN = {"rabbitmq": "amqp://", "kafka": "", "redis": "redis://"}
ENCRYPTED = {"rabbitmq": "amqps://", "kafka": "", "redis": "rediss://"}
PATIENT = Limits(timeout_ms=60_000)
WRONG = "another word"
LOGIN = {"username": "NAME", "password": "WORD"}


class Secured:
    """A destination by the encrypted port of its broker, and the environment that its file names."""

    def __init__(self, kind: str, end: End, broker: Broker) -> None:
        self.end = end
        self._kind = kind
        # A cold broker takes its time; whoever is turned away is told so long before.
        self.definition = replace(end.definition, limits=PATIENT, **self.keys(LOOPBACK, broker))
        self.environment = {"NAME": USER, "WORD": PASSWORD, "CA": self._file("authority.pem")}

    def keys(self, host: str, broker: Broker) -> dict[str, Any]:
        port = broker.sasl_port if isinstance(broker, KafkaServer) else broker.tls_port
        keys: dict[str, Any] = {"address": f"{ENCRYPTED[self._kind]}{host}:{port}", "ca": "CA", **LOGIN}
        return {**keys, "tls": True} if self._kind == "kafka" else keys

    def _file(self, name: str) -> str:
        assert self.end.broker is not None
        return str(self.end.broker.folder / "tls" / name)

    def trusting(self, name: str) -> dict[str, str]:
        """The environment with another file of authorities."""
        return {**self.environment, "CA": self._file(name)}

    def send(self, environment: Mapping[str, str] | None = None, **keys: Any) -> Sequence[Outcome]:
        """Six messages, as the file would be with other keys."""
        means = Means(environment or self.environment, Path(), local())
        with closing(sink_of(replace(self.definition, **keys), means)) as sink:
            return sink.send(messages(6))

    def refused(self, environment: Mapping[str, str] | None = None, **keys: Any) -> str:
        """Why none of them was taken."""
        reasons = set()
        for outcome in self.send(environment, **keys):
            assert isinstance(outcome, Retry)
            if outcome.down:
                reasons.add(outcome.reason)
        assert self.end.came() == []
        (reason,) = reasons
        for secret in (USER, PASSWORD, WRONG, *(each.body.decode() for each in messages(6))):
            assert secret not in reason
        return reason


@pytest.fixture
def secured(end_for: EndFor, server_of: ServerOf) -> Callable[[str], Secured]:
    def found(kind: str) -> Secured:
        broker = server_of(kind)
        assert broker is not None
        return Secured(kind, end_for(kind), broker)

    return found


Secure = Callable[[str], Secured]


@pytest.mark.parametrize("kind", KINDS)
def test_with_the_right_login_and_authority_messages_come(kind: str, secured: Secure) -> None:
    here = secured(kind)
    assert [*here.send()] == [DELIVERED] * 6
    assert sorted(each.id for each in here.end.came()) == [f"id-{at}" for at in range(6)]


@pytest.mark.parametrize("mechanism", ["plain", "scram-sha-256", "scram-sha-512"])
def test_kafka_is_logged_in_to_in_three_ways(mechanism: str, secured: Secure) -> None:
    here = secured("kafka")
    assert "the login is refused" in here.refused({**here.environment, "WORD": WRONG}, mechanism=mechanism)
    assert [*here.send(mechanism=mechanism)] == [DELIVERED] * 6


def test_kafka_may_be_encrypted_without_a_login(secured: Secure) -> None:
    here = secured("kafka")
    assert here.end.broker is not None
    address = f"{LOOPBACK}:{here.end.broker.tls_port}"
    assert [*here.send(address=address, username=None, password=None)] == [DELIVERED] * 6


@pytest.mark.parametrize("variable", ["NAME", "WORD"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_login_is_called_so_and_not_repeated(kind: str, variable: str, secured: Secure) -> None:
    here = secured(kind)
    assert "the login is refused" in here.refused({**here.environment, variable: WRONG})


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_of_an_authority_that_is_not_trusted_is_not_taken(kind: str, secured: Secure) -> None:
    here = secured(kind)
    assert "the certificate does not hold" in here.refused(here.trusting("stranger.pem"))
    assert "the certificate does not hold" in here.refused(ca=None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_of_another_name_is_not_taken(kind: str, secured: Secure) -> None:
    here = secured(kind)
    address = (here.definition.address or "").replace(LOOPBACK, "localhost")
    assert "the certificate does not hold" in here.refused(address=address)


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_is_not_encrypted_where_the_broker_is_ends_and_says_so(kind: str, secured: Secure) -> None:
    here = secured(kind)
    address = (here.definition.address or "").replace(ENCRYPTED[kind], PLAIN[kind])
    assert here.refused(address=address, tls=False, ca=None, limits=Limits(timeout_ms=1_000))


def test_rights_that_are_missing_are_named(secured: Secure) -> None:
    rabbit, entries = secured("rabbitmq"), secured("redis")
    assert "access to exchange 'amq.topic'" in rabbit_refusal(rabbit, exchange="amq.topic")
    nowhere = f"{rabbit.definition.address}/nowhere"
    assert "the virtual host is not there" in rabbit.refused(address=nowhere)
    assert "no permissions to access one of the keys" in entries.refused(stream="another")


def rabbit_refusal(here: Secured, **keys: Any) -> str:
    """What the broker says; it names the user, which is for whoever gave the rights to read."""
    outcome = here.send(**keys)[0]
    assert isinstance(outcome, Retry)
    return outcome.reason


@pytest.mark.parametrize(
    ("named", "why"),
    [("nowhere.pem", "No such file or directory"), ("server.key", "holds no certificates")],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_authorities_that_is_none_is_refused(
    kind: str, named: str, why: str, secured: Secure
) -> None:
    here = secured(kind)
    with pytest.raises(SegueError) as refused:
        here.send(here.trusting(named))
    (said,) = refused.value.diagnostics
    assert said.code == "E822"
    assert why in said.message
    assert "CA" in (said.hint or "")


@pytest.mark.parametrize("missing", ["NAME", "WORD", "CA"])
def test_a_variable_that_is_not_set_is_named(missing: str, secured: Secure) -> None:
    here = secured("redis")
    with pytest.raises(SegueError, match=f"needs the environment variable {missing}"):
        here.send({name: value for name, value in here.environment.items() if name != missing})
