"""Small workspaces to edit and compare."""

from __future__ import annotations

from pathlib import Path

CUSTOMERS = """\
# Who buys.
- segment: buyers   # all of them
  owner: crm@x      # ask Ada
  description: Bought something.
  title: Buyers
  freshness: 60s
  when: |  # since the shop opened
    # ever
    count("Order Completed") > 0

# The good ones.
- segment: big_buyers
  owner: crm@x
  description: >-
    Bought a lot
    and often.
  title: Big buyers
  when: segment("buyers") and sum("Order Completed".revenue) > 500   # in EUR
"""


def shop(folder: Path) -> Path:
    """A folder with two segments in one file."""
    (folder / "segments").mkdir(parents=True)
    (folder / "segue.yaml").write_text("timezone: UTC\n")
    (folder / "segments" / "customers.yaml").write_text(CUSTOMERS)
    return folder
