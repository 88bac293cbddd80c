"""Makes .venv and installs Segue with what its checks need; does nothing when nothing has changed.

Runs under any Python 3, so that a version that is too old gets a sentence and not a syntax error.
"""

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
MARK = os.path.join(VENV, "installed")
PYTHON_MIN = (3, 11)


def main():
    if sys.version_info < PYTHON_MIN:
        newer = newer_python()
        if newer is None:
            sys.exit(
                f"Segue needs Python 3.{PYTHON_MIN[1]} or newer, this is {sys.version.split()[0]}.\n"
                "Install one, or name it: make test PYTHON=/path/to/python3"
            )
        sys.exit(subprocess.call([newer, os.path.abspath(__file__)]))
    wanted = fingerprint()
    if installed() == wanted:
        return
    print("Setting up .venv (about a minute the first time)", flush=True)
    install()
    with open(MARK, "w") as mark:
        mark.write(wanted)


def newer_python():
    for minor in (13, 12, 11):
        found = shutil.which(f"python3.{minor}")
        if found:
            return found
    return None


def fingerprint():
    """What an installation depends on: the declared packages, this place, this Python."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "scripts/constraints.txt", "scripts/setup.py"):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    digest.update(ROOT.encode())
    digest.update(sys.version.encode())
    return digest.hexdigest()


def installed():
    try:
        with open(MARK) as mark:
            return mark.read()
    except OSError:
        return None


def install():
    run([sys.executable, "-m", "venv", "--clear", VENV])
    python = os.path.join(VENV, "bin", "python")
    constraints = os.path.join("scripts", "constraints.txt")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(pip + ["--editable", ".[dev]", "--constraint", constraints])


def run(command):
    status = subprocess.call(command, cwd=ROOT)
    if status:
        sys.exit(f"setup stopped: `{' '.join(command)}` ended with status {status}")


if __name__ == "__main__":
    main()
