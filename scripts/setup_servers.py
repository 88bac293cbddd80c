"""Fetches the brokers that the tests send to: RabbitMQ, Redis and Apache Kafka; what cannot be had is said.

Nothing of this is part of Segue or of what it needs to run, and nothing is started here: the tests do that.
RabbitMQ and Redis come from the system's packages, and are installed only where that is possible without
asking: as root, with apt-get. Kafka is its own broker, from Maven's artefacts, into .servers.
"""

import os
import shutil
import subprocess

from fetching import ROOT, UnavailableError, digest, fetch, mark, run, system_package

TARGET = os.path.join(ROOT, ".servers")
PROJECT = os.path.join(ROOT, "tests", "deliver", "sinks", "kafka.xml")
SYSTEM = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
JAVA_MIN = 17


def main():
    fetch(TARGET, (("rabbitmq", rabbitmq), ("redis", redis), ("kafka", kafka)))


def rabbitmq():
    certificates()
    need("rabbitmq-server", "rabbitmq-server")
    need("epmd", "erlang-base")


def redis():
    certificates()
    need("redis-server", "redis-server")


def kafka():
    """The broker's jars, as a Maven project names them, with all that they need."""
    certificates()
    need("java", "openjdk-17-jre-headless")
    if java_version() < JAVA_MIN:
        raise UnavailableError("Kafka needs Java %d, this is %d" % (JAVA_MIN, java_version()))
    need("mvn", "maven")
    folder = os.path.join(TARGET, "kafka")
    wanted = digest(PROJECT, "kafka")
    if mark(folder) == wanted:
        return
    print("Fetching Apache Kafka", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    command = ["mvn", "--batch-mode", "--quiet", "--file", PROJECT, "dependency:copy-dependencies"]
    run(command + ["-DincludeScope=runtime", "-DoutputDirectory=" + folder])
    mark(folder, wanted)


def certificates():
    """Tests speak to each over TLS, too."""
    need("openssl", "openssl")


def need(program, package):
    if shutil.which(program, path=SYSTEM) is None:
        system_package(package)


def java_version():
    """The number of the Java that stands in the path; 0 when it tells none."""
    command = ["java", "-XshowSettings:properties", "-version"]
    said = subprocess.run(command, stderr=subprocess.PIPE, check=False)
    for line in said.stderr.decode(errors="replace").splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "java.specification.version":
            return int(value.strip().split(".")[0])
    return 0


if __name__ == "__main__":
    main()
