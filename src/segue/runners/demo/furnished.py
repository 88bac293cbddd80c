"""The example shop's part of the demo: definitions beside the retailer's, a catalogue, and its pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segue.domain.errors import refusal
from segue.domain.time import parse_instant
from segue.experiences.recommend.catalogue.importing import import_items
from segue.experiences.recommend.catalogue.mapping import read_item_mapping
from segue.experiences.recommend.catalogue.store import Catalogue
from segue.runners.demo.shop import Shop, opened

INSTALLED = ("examples", "shop")
_IN_CHECKOUT = ("examples", "shop")
_PAGES = "pages"
_WORKSPACE = "workspace"
_PRODUCTS = "products.jsonl"
_OPENED = parse_instant("2009-12-01T00:00:00Z")
"""Since when the products are there: as long as the retailer's year."""


def shipped() -> Path:
    """The example of the checkout that this code stands in, else the one that was installed with it."""
    package = Path(__file__).parents[2]
    places = (package.parents[1].joinpath(*_IN_CHECKOUT), package.joinpath(*INSTALLED))
    for place in places:
        if (place / _PAGES / _PRODUCTS).is_file():
            return place
    raise refusal("E401", f"the example shop is not in {places[-1]}", "install Segue again")


@contextmanager
def furnished(folder: Path, data: Path, port: int) -> Iterator[tuple[Shop, str]]:
    """The shop and its address, with what it needs put into a workspace and a data folder.

    It serves its pages from now on; ``shop.segue`` is to be set when there is a server. E451 when the
    workspace cannot be written to.
    """
    example = shipped()
    shop = Shop(example / _PAGES)
    with opened(shop, port) as url:
        try:
            shutil.copytree(example / _WORKSPACE, folder, dirs_exist_ok=True)
            with (folder / "segue.yaml").open("a", encoding="utf-8") as settings:
                settings.write(
                    f"# The example shop's pages, which read with tokens.\nstream_origins: {url}\n"
                )
        except OSError as fault:
            hint = "name a folder that can be written to"
            raise refusal("E451", f"the shop cannot be put into {folder}: {fault}", hint) from fault
        _stock(data, example / _PAGES / _PRODUCTS)
        yield shop, url


def _stock(data: Path, products: Path) -> None:
    assert _OPENED is not None
    catalogue = Catalogue(data)
    try:
        import_items(catalogue, products, read_item_mapping(None), _OPENED)
    finally:
        catalogue.close()
