"""Fetches things for tests, once until what they are made of changes, and says what cannot be had."""

import hashlib
import os
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SECONDS_MAX = 300


class UnavailableError(Exception):
    """Why a part cannot be had on this machine."""


def fetch(target, parts):
    """Runs (name, function) one after another; of what cannot be had the reason stays beside the rest."""
    os.makedirs(target, exist_ok=True)
    for part, install in parts:
        missing = os.path.join(target, part + ".missing")
        try:
            install()
        except UnavailableError as reason:
            with open(missing, "w") as file:
                file.write(str(reason))
            print("tests that need %s are skipped: %s" % (part, reason), flush=True)
        else:
            if os.path.exists(missing):
                os.remove(missing)


def system_package(name):
    if os.name != "posix" or os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise UnavailableError("there is no %s; install your system's package of it" % name)
    print("Installing " + name, flush=True)
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", name]):
        run(["apt-get", "--quiet", "--quiet"] + arguments, environment=environment)


def digest(path, more):
    """What a folder is filled from: a file, and what else it depends on."""
    with open(path, "rb") as file:
        return hashlib.sha256(file.read() + more.encode() + ROOT.encode()).hexdigest()


def mark(folder, wanted=None):
    """What a folder was filled from; with ``wanted``, says so."""
    path = os.path.join(folder, "installed")
    if wanted is not None:
        with open(path, "w") as file:
            file.write(wanted)
        return wanted
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return None


def run(command, folder=ROOT, environment=None):
    try:
        ended = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise UnavailableError("`%s`: %s" % (" ".join(command[:3]), fault)) from None
    if ended.returncode:
        said = ended.stdout.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        errors = [line for line in said if "error" in line.lower() and "Retry" not in line]
        raise UnavailableError(
            "`%s` ended with status %d: %s"
            % (" ".join(command[:3]), ended.returncode, " ".join(errors[:2] or said[-1:]))
        )
