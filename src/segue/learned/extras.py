"""Libraries that only learning needs: asked for when they are used, named when they are missing."""

from __future__ import annotations

from importlib.util import find_spec

from segue.domain.errors import refusal

INSTALL = "pip install 'segue[ml]'"


def need(*modules: str) -> None:
    """E866 with the command that installs them when one of these libraries is not there."""
    missing = [module for module in modules if not there(module)]
    if missing:
        message = f"learning needs {', '.join(missing)}, which is not installed"
        raise refusal("E866", message, INSTALL)


def there(module: str) -> bool:
    """Whether a library can be imported."""
    return find_spec(module) is not None
