"""``segue demo``: eleven months of a real shop are imported, the twelfth is played to a running server."""

from segue.runners.demo.run import Show, demo

__all__ = ["Show", "demo"]
