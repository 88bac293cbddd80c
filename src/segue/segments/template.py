"""The workspace that ``segue init`` writes: small, valid, and an example of each kind of file."""

from __future__ import annotations

from pathlib import Path

from segue.domain.errors import Diagnostic, SegueError, refusal
from segue.segments.write import write_file

_SETTINGS = """\
# Settings of this workspace; docs/settings.md explains each.
timezone: UTC
session_gap: 30m

events:
  mode: off     # warn or block: hold events and conditions to the tracking plan in events/
"""

_CUSTOMERS = """\
# One file holds one definition or a list of them. `segue check` checks the folder,
# `segue plan` shows what would change, `segue apply` puts it in force.

- segment: repeat_customers
  owner: crm@example.com
  title: Repeat customers
  description: Ordered at least twice within a year.
  freshness: 1m
  when: |
    count("Order Completed", last 1y) >= 2

- segment: resting_customers
  owner: crm@example.com
  title: Resting customers
  description: Repeat customers without an order for 60 days; they get a reminder.
  freshness: 1h
  when: |
    segment("repeat_customers") and since(last("Order Completed")) > 60d
"""

_BASKETS = """\
segment: left_baskets
owner: shop@example.com
title: Left baskets
description: Put something into the basket within a week, then neither bought nor added more for half an hour.
freshness: 1m
when: |
  count("Product Added", last 7d) > 0
  and count("Order Completed", since last("Product Added")) == 0
  and since(last("Product Added")) > 30m
  and not list("team")
"""

_VISITORS = """\
segment: keen_visitors
owner: shop@example.com
title: Keen visitors
description: Looked around a lot within 30 days and are not our own people.
freshness: 1h
when: |
  feature("shop_interest") >= 50 and not list("team")
"""

_FEATURES = """\
# Named expressions: edited once, used as feature("shop_interest") in any condition.
- feature: shop_interest
  owner: shop@example.com
  description: One point a product viewed and five a product added, within 30 days.
  value: |
    count("Product Viewed", last 30d) + 5 * count("Product Added", last 30d)
"""

_LIST = """\
list: team
owner: shop@example.com
description: Accounts of our own people; they try things out and would distort the numbers.
users:
  - team-member-1
"""

_EVENTS = """\
# The tracking plan: which events are sent, and what they carry.
# It is in force with `events.mode: warn` or `block` in segue.yaml.

- event: Product Viewed
  owner: web@example.com
  description: Opened the page of a product.
  properties: &product
    product_id: {type: text, required: true}
    category: {type: text}

- event: Product Added
  owner: web@example.com
  description: Put a product into the basket.
  properties: *product

- event: Order Completed
  owner: web@example.com
  description: Placed an order.
  properties:
    order_id: {type: text, required: true}
    revenue: {type: number, required: true, description: Total without shipping.}
    currency: {type: text, enum: [EUR, GBP, USD]}
"""

_EXPERIENCE = """\
# What a page shows in a slot: POST /v1/decide asks; `segue experiences report start_banner` tells the rest.

experience: start_banner
owner: shop@example.com
description: What the start page greets with.
slot: start
holdout: 0.1
goal: {event: Order Completed, within: 7d}
fallback: {title: Welcome}
variants:
  - variant: basket
    audience: left_baskets
    priority: 20
    cap: 3 per 7d
    payload: {title: Your basket is waiting, link: /basket}
  - variant: welcome_back
    audience: repeat_customers
    priority: 10
    payload: {title: Good to see you again}
"""

FILES = {
    "segue.yaml": _SETTINGS,
    "segments/customers.yaml": _CUSTOMERS,
    "segments/left_baskets.yaml": _BASKETS,
    "segments/keen_visitors.yaml": _VISITORS,
    "features/shop_interest.yaml": _FEATURES,
    "lists/team.yaml": _LIST,
    "events/shop.yaml": _EVENTS,
    "experiences/start_banner.yaml": _EXPERIENCE,
}
"""What is written, by path in the new folder."""


def write_template(folder: Path) -> list[Path]:
    """Writes a small, valid workspace and the folders above it; the paths of its files.

    E455 with every file that is there already; nothing is written then. E451 when a file cannot be.
    """
    taken = [file for file in FILES if (folder / file).exists()]
    if taken:
        hint = "name another folder, or move what is there"
        raise SegueError(*(Diagnostic("E455", f"{folder / file} is there already", hint) for file in taken))
    if folder.exists() and not folder.is_dir():
        raise refusal("E455", f"{folder} is there already and is no folder", "name another folder")
    for file, text in FILES.items():
        write_file(folder / file, text.encode())
    return [folder / file for file in FILES]
