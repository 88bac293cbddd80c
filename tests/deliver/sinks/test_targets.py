"""Webhooks reach nothing inside: neither as their address is written, nor as it resolves when they send."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from segue.cli.workspace import check
from segue.deliver.sinks.sink import DELIVERED, Retry
from segue.deliver.sinks.webhook import Bounds, Webhook
from segue.domain.address import Networks, parse_networks
from segue.domain.errors import SegueError
from segue.domain.outbound import TargetError, look_at, parse_target
from segue.segments.destinations.resolving import lead_inside
from segue.segments.workspace import load_workspace
from segue.service.commands.definitions import run_apply
from segue.service.service import Service
from tests.deliver.sinks.ends import local, messages
from tests.deliver.sinks.receiver import LOOPBACK, Receiver, Reply

NONE = Networks()
ADDRESSES = (
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255",
    "192.168.0.1", "100.64.0.1", "100.127.255.254", "169.254.169.254", "169.254.170.2", "192.0.0.192",
    "192.0.0.9", "192.88.99.1", "3fff::1", "5f00::1", "198.18.0.1", "192.0.2.1",
    "203.0.113.1", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255",
    "::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "fd00::1",
    "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001::1", "2001:db8::1", "100::1", "::ffff:0:127.0.0.1",
)  # fmt: skip
"""Of no machine on the public internet."""
ODD = (
    "2130706433", "0x7f000001", "0x7f.1", "127.1", "127.0.1", "0177.0.0.1", "00000177.1", "0x7f.0.0.0x1",
    "127.0.0.1.", "2130706433.", "017700000001", "0", "0x0", "3232235521", "134744072", "1.1",
)  # fmt: skip
NAMES = (
    "localhost", "LOCALHOST", "localhost.", "a.localhost", "metadata", "metadata.google.internal",
    "instance-data", "db.internal", "printer.local", "router.lan", "x.home.arpa", "a.localdomain", "intranet",
)  # fmt: skip
TEXTS = (
    "", "crm.example", "//crm.example/", "http:crm.example", "http:/crm.example", "http://", "http:///x",
    "file:///etc/passwd", "gopher://crm.example/", "ftp://crm.example/", "unix:/run/docker.sock",
    "http+unix://%2Frun%2Fdocker.sock/", "javascript:alert(1)", "data:text/plain,x", "jar:http://crm.example!/",
    "dict://crm.example:11211/", "ldap://crm.example/", "http://user@crm.example/", "http://a:b@crm.example/",
    "http://crm.example@127.0.0.1/", "http://127.0.0.1@crm.example/", "http://crm.example#@127.0.0.1/",
    "http://crm.example\\@127.0.0.1/", "http://crm.example\\.evil/", "http://crm.example/\r\nHost: x",
    "http://crm.example/\nX: y", "http://crm.example /", " http://crm.example/", "http://crm.example/\x00",
    "http://crm.example/\t", "http://crm.example:0/", "http://crm.example:65536/", "http://crm.example:-1/",
    "http://crm.example:80:80/", "http://crm.example:/", "http://[::1", "http://::1/", "http://[127.0.0.1]/",
    "http://[::1%25lo]/", "http://[fe80::1%eth0]/", "http://①②⑦.⓪.⓪.①/", "http://１２７.0.0.1/",
    "http://crm。example/", "http://ｃrm.example/", "http://crm.exаmple/", "http://%31%32%37.0.0.1/",
    "http://127.0.0.1%2f@crm.example/", "http://crm.example/#x", "http://crm_.example:80x/",
    "http://" + "a" * 254 + "/", "http://crm.example/" + "x" * 2_000,
)  # fmt: skip


def urls() -> Iterator[str]:
    """Everything that is refused."""
    for address in ADDRESSES:
        yield f"http://[{address}]/" if ":" in address else f"http://{address}/"
    for scheme in ("http", "https"):
        yield from (f"{scheme}://{host}:8080/latest/meta-data?x=1" for host in (*ODD, *NAMES))
    yield from TEXTS


@pytest.mark.parametrize("url", [*urls()])
def test_what_is_refused_as_it_is_written(url: str) -> None:
    with pytest.raises(TargetError):
        parse_target(url, NONE)


@pytest.mark.parametrize(
    "url",
    [
        "https://crm.shop.example/hooks/segue?team=1&x=%0d%0a",
        "HTTPS://CRM.Example:8443",
        "http://8.8.8.8/",
        "http://[2606:4700:4700::1111]:80/",
        "https://xn--bcher-kva.example/",
        "http://[64:ff9b::808:808]/",
        "https://1.example/",
    ],
)
def test_what_is_taken(url: str) -> None:
    parse_target(url, NONE)


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_is_refused_as_it_resolves(address: str) -> None:
    with pytest.raises(TargetError):
        look_at(address, NONE)


def test_what_is_allowed_is_allowed_and_nothing_beside_it() -> None:
    allowed = parse_networks("127.0.0.1, 10.1.0.0/16, fd00::/8")
    assert allowed is not None
    for address in ("127.0.0.1", "10.1.2.3", "fd00::1", "::ffff:10.1.2.3"):
        look_at(address, allowed)
    for address in ("127.0.0.2", "10.2.0.1", "fe80::1", "169.254.169.254", "::ffff:10.2.0.1"):
        with pytest.raises(TargetError):
            look_at(address, allowed)


Resolver = Callable[[str], list[str]]


@pytest.fixture
def resolving(monkeypatch: pytest.MonkeyPatch) -> Callable[[Resolver], None]:
    """Has names resolve as a test says; what is asked for an address goes to the system as before."""
    system = socket.getaddrinfo

    def by(resolver: Resolver) -> None:
        def found(host: str, port: int, *rest: int, **more: int) -> list[tuple[object, ...]]:
            if not host.endswith(".example"):
                return [*system(host, port, *rest, **more)]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in resolver(host)]

        monkeypatch.setattr(socket, "getaddrinfo", found)

    return by


# ---- at save -------------------------------------------------------------------------------


def written(folder: Path, url: str, settings: str = "timezone: UTC\n") -> None:
    (folder / "segue.yaml").write_text(settings, encoding="utf-8")
    (folder / "destinations").mkdir(exist_ok=True)
    text = f'destination: d\nkind: webhook\nowner: o\ndescription: d\nsecrets: S\naddress: "{url}"\n'
    (folder / "destinations" / "d.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "url", [url for url in urls() if url.isprintable() and "\\" not in url and url[:1] != " "]
)
def test_such_a_definition_is_refused(url: str, tmp_path: Path) -> None:
    written(tmp_path, url)
    with pytest.raises(SegueError) as refused:
        load_workspace(tmp_path, environment={})
    assert {found.code for found in refused.value.diagnostics} <= {"E489", "E426", "E403"}
    assert all(found.place is not None for found in refused.value.diagnostics)


def applied(folder: Path) -> None:
    """Applies a folder, as ``segue apply`` does; the service began with an empty one."""
    empty = folder / "empty"
    empty.mkdir(exist_ok=True)
    with Service.open(empty, folder / "data") as service:
        service.folder = folder
        assert [*run_apply(service, {"folder": str(folder.resolve())}, lambda *_: None)]


def test_a_name_that_resolves_inside_is_refused_by_check_and_apply(
    tmp_path: Path, resolving: Callable[[Resolver], None], capsys: pytest.CaptureFixture[str]
) -> None:
    resolving(lambda host: {"crm.example": ["8.8.8.8"], "in.example": ["8.8.8.8", "10.0.0.1"]}[host])
    written(tmp_path, "https://in.example/x")
    assert check(tmp_path, as_json=True) == 1
    (finding,) = json.loads(capsys.readouterr().out)["errors"]
    assert (finding["code"], finding["line"]) == ("E489", 6)
    assert "d leads inside: 10.0.0.1 is not" in finding["message"]
    with pytest.raises(SegueError, match="E489"):
        applied(tmp_path)
    written(tmp_path, "https://crm.example/x")
    applied(tmp_path)


def test_a_name_that_does_not_resolve_is_no_finding(
    tmp_path: Path, resolving: Callable[[Resolver], None]
) -> None:
    def nobody(host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, host)

    resolving(nobody)
    written(tmp_path, "https://crm.example/x")
    loaded = load_workspace(tmp_path, environment={})
    assert lead_inside(loaded.destinations, NONE) == []


def test_the_operator_may_allow_it(tmp_path: Path) -> None:
    written(tmp_path, "http://127.0.0.1:3000/", "private_targets: 127.0.0.1\n")
    assert load_workspace(tmp_path, environment={}).destinations["d"].kind == "webhook"
    written(tmp_path, "http://127.0.0.1:3000/")
    load_workspace(tmp_path, environment={"SEGUE_PRIVATE_TARGETS": "127.0.0.1"})


# ---- at send -------------------------------------------------------------------------------


@pytest.fixture
def inside() -> Iterator[Receiver]:
    """A server on the loopback that nobody is to reach."""
    found = Receiver()
    found.start()
    yield found
    found.stop()


def sent(url: str, allowed: Networks, count: int = 1) -> list[object]:
    hook = Webhook(url, ["s"], Bounds(allowed, 1, 2_000))
    try:
        return [outcome for message in messages(count) for outcome in hook.send([message])]
    finally:
        hook.close()


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"]])
def test_a_name_that_resolves_inside(
    addresses: list[str], resolving: Callable[[Resolver], None], inside: Receiver
) -> None:
    resolving(lambda _: addresses)
    (outcome,) = sent(f"http://crm.example:{inside.port}/", NONE)
    assert isinstance(outcome, Retry)
    assert outcome.down
    assert "127.0.0.1 is not an address of the public internet" in outcome.reason
    assert inside.connections == 0


def test_with_the_network_open_the_same_arrives(
    resolving: Callable[[Resolver], None], inside: Receiver
) -> None:
    resolving(lambda _: ["127.0.0.1"])
    assert sent(f"http://crm.example:{inside.port}/", local()) == [DELIVERED]
    assert inside.connections == 1


def test_a_name_that_resolves_otherwise_the_second_time(
    resolving: Callable[[Resolver], None], inside: Receiver
) -> None:
    asked: list[str] = []

    def rebound(host: str) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    resolving(rebound)
    inside.decide = lambda _: Reply(headers={"Connection": "close"})
    first, second = sent(f"http://crm.example:{inside.port}/", local(), 2)
    assert first == DELIVERED
    assert isinstance(second, Retry)
    assert "169.254.169.254" in second.reason
    # Once for each connection: what was looked at is what was connected to.
    assert asked == ["crm.example"] * 2
    assert inside.connections == 1


def test_proxies_of_the_environment_are_not_asked(inside: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    assert sent(inside.url, local()) == [DELIVERED]


def test_a_redirect_to_the_inside_reaches_nobody(inside: Receiver) -> None:
    other = Receiver()
    other.start()
    inside.decide = lambda _: Reply(302, {"Location": f"http://{LOOPBACK}:{other.port}/secret"})
    (outcome,) = sent(inside.url, local())
    other.stop()
    assert isinstance(outcome, Retry)
    assert other.connections == 0


def test_a_client_that_does_not_look_reaches_the_inside(
    resolving: Callable[[Resolver], None], inside: Receiver
) -> None:
    """The control: with the look taken away, the same name leads there."""
    resolving(lambda _: ["127.0.0.1"])
    everything = parse_networks("0.0.0.0/0, ::/0")
    assert everything is not None
    assert sent(f"http://crm.example:{inside.port}/", everything) == [DELIVERED]
    assert len(inside.taken) == 1
