"""Real brokers on free ports of the loopback: started, paused, killed, started anew on their own data."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import pytest

from tests.deliver.sinks.certificates import make_certificates

ROOT = Path(__file__).parents[3]
SERVERS = ROOT / ".servers"
SYSTEM = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
LOOPBACK = "127.0.0.1"


USER, PASSWORD = "segue", "pass w'rd:@/%1"
"""A login to each broker, with rights to write to what the tests write to."""


class Broker(Protocol):
    """A server of one kind, on one folder and one port; the other port is encrypted."""

    folder: Path
    port: int
    tls_port: int

    def start(self) -> None:
        """Run, and answer when this returns."""

    def kill(self) -> None:
        """End at once, as by a crash of its process."""

    def pause(self) -> None:
        """Stand still with open connections."""

    def resume(self) -> None:
        """Go on."""

    def end(self) -> None:
        """End for good, with all that it started."""


def needed(part: str, *programs: str) -> None:
    """Skips the test where a broker is not to be had."""
    missing = SERVERS / f"{part}.missing"
    wanted = (*programs, "openssl")
    if missing.exists() or any(shutil.which(each, path=SYSTEM) is None for each in wanted):
        reason = missing.read_text(encoding="utf-8") if missing.exists() else "run `make servers`"
        pytest.skip(f"there is no {part} on this machine: {reason}")


def _stand_still(pid: int) -> None:
    """Stop a process, until each of its threads has: one that runs on a moment still takes what comes."""
    os.kill(pid, signal.SIGSTOP)
    while any(_state(task) not in "TtZX" for task in Path(f"/proc/{pid}/task").iterdir()):
        time.sleep(0.001)


def _state(task: Path) -> str:
    """A letter: what a thread does, as the kernel tells it; gone is X."""
    try:
        return (task / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "X"


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    listeners = [socket.create_server((LOOPBACK, 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in listeners]
    for each in listeners:
        each.close()
    return ports


class Process:
    """One program; its output goes into a file beside its data."""

    def __init__(self, command: Sequence[str | Path], folder: Path, environment: dict[str, str]) -> None:
        self._log = folder / "output.log"
        with open(self._log, "ab") as log:
            self.running = subprocess.Popen(
                [*map(str, command)], cwd=folder, env=environment, stdout=log, stderr=log
            )

    def wait_for(self, answers: object) -> None:
        """Until the callable says so; AssertionError with the output when the program ends before."""
        assert callable(answers)
        while not answers():
            if self.running.poll() is not None:
                raise AssertionError(f"it ended: {self._log.read_text(encoding='utf-8', errors='replace')}")
            time.sleep(0.02)

    def stop(self, number: int) -> None:
        """Ends it by a signal, also one that stands still."""
        if self.running.poll() is None:
            self.running.send_signal(number)
            self.running.send_signal(signal.SIGCONT)
            self.running.wait()


def says(port: int, asked: bytes, expected: bytes) -> bool:
    """Whether what listens on a port answers so."""
    try:
        with socket.create_connection((LOOPBACK, port), 1) as link:
            link.sendall(asked)
            return link.recv(len(expected)) == expected
    except OSError:
        return False


# ---- Redis ---------------------------------------------------------------------------------


class RedisServer:
    """Redis that writes each command to disk before it answers."""

    def __init__(self, folder: Path) -> None:
        needed("redis", "redis-server")
        self.folder = folder
        self._certificates = make_certificates(folder / "tls", LOOPBACK)
        self.port, self.tls_port = free_ports(2)
        # The rights that docs/destinations.md names, and no more.
        user = f"user {USER} on #{sha256(PASSWORD.encode()).hexdigest()} ~stream:* +multi +exec +xadd"
        (folder / "redis.conf").write_text(f"user default on nopass ~* +@all\n{user}\n", encoding="ascii")

    def start(self) -> None:
        options = {"port": self.port, "bind": LOOPBACK, "dir": self.folder, "save": ""}
        options |= {"appendonly": "yes", "appendfsync": "always", "loglevel": "warning"}
        options |= {"tls-port": self.tls_port, "tls-auth-clients": "no"}
        options |= {"tls-cert-file": self._certificates.certificate, "tls-key-file": self._certificates.key}
        options["tls-ca-cert-file"] = self._certificates.authority
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        program = shutil.which("redis-server", path=SYSTEM) or ""
        self._process = Process([program, "redis.conf", *words], self.folder, dict(os.environ))
        self._process.wait_for(lambda: says(self.port, b"PING\r\n", b"+PONG\r\n"))

    def kill(self) -> None:
        self._process.stop(signal.SIGKILL)

    def pause(self) -> None:
        _stand_still(self._process.running.pid)

    def resume(self) -> None:
        self._process.running.send_signal(signal.SIGCONT)

    def end(self) -> None:
        self._process.stop(signal.SIGKILL)


# ---- RabbitMQ ------------------------------------------------------------------------------


_RABBIT = """
listeners.tcp.default = {host}:{server.port}
listeners.ssl.default = {host}:{server.tls_port}
ssl_options.cacertfile = {tls.authority}
ssl_options.certfile = {tls.certificate}
ssl_options.keyfile = {tls.key}
ssl_options.verify = verify_none
load_definitions = {folder}/users.json
disk_free_limit.absolute = 1MB
"""


class RabbitServer:
    """RabbitMQ with a port mapper, a cookie and a home of its own; runs as whoever runs the tests."""

    def __init__(self, folder: Path) -> None:
        needed("rabbitmq", "rabbitmq-server", "epmd")
        self.folder = folder
        self.port, self.tls_port, distribution, self._mapper_port = free_ports(4)
        certificates = make_certificates(folder / "tls", LOOPBACK)
        (folder / "plugins").write_text("[].\n", encoding="ascii")
        (folder / "users.json").write_text(json.dumps(_rabbit_users()), encoding="ascii")
        text = _RABBIT.format(host=LOOPBACK, server=self, tls=certificates, folder=folder)
        (folder / "rabbitmq.conf").write_text(text, encoding="ascii")
        self._environment = dict(
            os.environ,
            HOME=str(folder),
            ERL_EPMD_PORT=str(self._mapper_port),
            ERL_EPMD_ADDRESS=LOOPBACK,
            RABBITMQ_NODENAME=f"segue{self.port}@localhost",
            RABBITMQ_NODE_PORT=str(self.port),
            RABBITMQ_NODE_IP_ADDRESS=LOOPBACK,
            RABBITMQ_DIST_PORT=str(distribution),
            RABBITMQ_MNESIA_BASE=str(folder / "mnesia"),
            RABBITMQ_LOG_BASE=str(folder / "log"),
            RABBITMQ_CONFIG_FILE=str(folder / "rabbitmq"),
            RABBITMQ_CONF_ENV_FILE=str(folder / "none"),
            RABBITMQ_ENABLED_PLUGINS_FILE=str(folder / "plugins"),
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +S 2:2",
        )
        mapper = [shutil.which("epmd") or "", "-address", LOOPBACK, "-port", str(self._mapper_port)]
        self._mapper = Process(mapper, folder, dict(os.environ))

    def start(self) -> None:
        self._process = Process([_rabbit_program()], self.folder, self._environment)
        self._process.wait_for(lambda: says(self.port, b"AMQP\x00\x00\x09\x01", b"\x01\x00\x00\x00\x00"))

    def kill(self) -> None:
        os.kill(self._machine(), signal.SIGKILL)
        self._process.running.wait()

    def pause(self) -> None:
        _stand_still(self._machine())

    def resume(self) -> None:
        os.kill(self._machine(), signal.SIGCONT)

    def end(self) -> None:
        if self._process.running.poll() is None:
            self.kill()
        self._mapper.stop(signal.SIGKILL)

    def _machine(self) -> int:
        """The process of Erlang, which the script that was started runs below itself."""
        pid = self._process.running.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        return int(children[0])


def _rabbit_users() -> dict[str, object]:
    """The guest that a broker begins with, and a user who may publish to what the tests declare."""

    def hashed(password: str) -> str:
        return b64encode(b"salt" + sha256(b"salt" + password.encode()).digest()).decode()

    guest = {"name": "guest", "password_hash": hashed("guest"), "tags": "administrator"}
    user = {"name": USER, "password_hash": hashed(PASSWORD), "tags": ""}
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    # A user who checks that an exchange is there needs no right to configure it.
    publishing = {"configure": "", "write": "test.*", "read": ""}
    return {
        "vhosts": [{"name": "/"}],
        "users": [guest, user],
        "permissions": [
            {"user": "guest", "vhost": "/", **everything},
            {"user": USER, "vhost": "/", **publishing},
        ],
    }


def _rabbit_program() -> Path:
    """The server's own script: the one in the path is Debian's, which would run it as another user."""
    found = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    return found[-1] if found else Path(shutil.which("rabbitmq-server", path=SYSTEM) or "")


# ---- Kafka ---------------------------------------------------------------------------------

_KAFKA = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{port},SSL://{host}:{tls},SASL_SSL://{host}:{sasl},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port},SSL://{host}:{tls},SASL_SSL://{host}:{sasl}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location={both}
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule \\
  required user_{user}="{password}";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={scram} required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={scram} required;
log.dirs={folder}/data
num.partitions=4
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=200
"""


_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"


class KafkaServer:
    """Apache Kafka: one broker that is its own controller."""

    def __init__(self, folder: Path) -> None:
        needed("kafka", "java")
        if not (SERVERS / "kafka" / "installed").exists():
            pytest.skip("there is no kafka on this machine: run `make servers`")
        self.folder = folder
        self.port, self.tls_port, self.sasl_port, controller = free_ports(4)
        certificates = make_certificates(folder / "tls", LOOPBACK)
        text = _KAFKA.format(
            host=LOOPBACK, port=self.port, tls=self.tls_port, sasl=self.sasl_port, controller=controller,
            folder=folder, both=certificates.both, user=USER, password=PASSWORD, scram=_SCRAM,
        )  # fmt: skip
        (folder / "server.properties").write_text(text, encoding="utf-8")
        logins = [f'SCRAM-SHA-{bits}=[name={USER},password="{PASSWORD}"]' for bits in (256, 512)]
        words = [word for login in logins for word in ("--add-scram", login)]
        tool = "kafka.tools.StorageTool"
        made = self._run(tool, "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", *words, "-c")
        assert made.running.wait() == 0

    def start(self) -> None:
        self._process = self._run("kafka.Kafka")
        # ApiVersions, version 0, from a client without a name: the answer begins with its length.
        asked = b"\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x01\xff\xff"
        self._process.wait_for(lambda: says(self.port, asked, b"\x00\x00"))

    def kill(self) -> None:
        self._process.stop(signal.SIGKILL)

    def pause(self) -> None:
        _stand_still(self._process.running.pid)

    def resume(self) -> None:
        self._process.running.send_signal(signal.SIGCONT)

    def end(self) -> None:
        self._process.stop(signal.SIGKILL)

    def _run(self, program: str, *words: str) -> Process:
        java = [shutil.which("java") or "", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        command = [*java, "-cp", f"{SERVERS / 'kafka'}/*", program, *words, "server.properties"]
        return Process(command, self.folder, dict(os.environ))
