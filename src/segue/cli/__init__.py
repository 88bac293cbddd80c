"""The command line: each command parses, has the service work, and shows the answer."""

from __future__ import annotations

import sys


def main() -> None:
    """The program ``segue``."""
    from segue.cli.app import app
    from segue.cli.ending import run

    sys.exit(run(app, sys.argv[1:]))
