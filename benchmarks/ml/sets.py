"""The public sets: where they are, and how each becomes a workspace with its data, by Segue's own import.

But for Online Retail, which is the demo's, they are not part of the repository: ``SEGUE_BENCH_DATA`` names
their folder. docs/benchmarks.md says which files it holds.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import yaml

from benchmarks.store import REPOSITORY, RETAIL, scratch
from segue.domain.time import parse_instant
from segue.ingest.files.mapping import read_mapping
from segue.learned.dataset import History, labelled, table_at
from segue.learned.spec import ModelSpec
from segue.learned.table import Table
from segue.service.service import Service

Doubles = npt.NDArray[np.float64]

RETAIL_FILE = RETAIL / "data/online_retail_2009_2010.parquet"
PLACES = ("../shared/data", "../data")
"""Beside the repository, where no variable names the folder."""
VARIABLE = "SEGUE_BENCH_DATA"

_ORDERS = """
    select {user} as user_id, ts::timestamp as ts, 'Order Completed' as event, sum(amount) as revenue
    from read_csv('{file}') group by all order by ts, user_id
"""
"""An order a customer and day, as the published tables count them."""
_INVOICES = """
    select user_id::varchar as user_id, min(ts) as ts, 'Order Completed' as event, invoice,
           sum(amount)::double as revenue
    from read_parquet('{file}') where event = 'purchase' and price > 0 group by user_id, invoice
    order by ts, user_id
"""
"""An order an invoice; what was given away is none."""


class MissingDataError(Exception):
    """The sets are not where they were looked for."""


def data_folder() -> Path:
    """Where the sets are."""
    named = os.environ.get(VARIABLE)
    places = [Path(named)] if named else [REPOSITORY / each for each in PLACES]
    for place in places:
        if (place / "cdnow_full.csv.gz").is_file():
            return place
    looked = ", ".join(map(str, places))
    raise MissingDataError(f"the public sets are not in {looked}; name their folder with {VARIABLE}")


@dataclass(frozen=True)
class Shown:
    """A workspace with its data, ready to be learned from."""

    service: Service

    def spec(self, name: str) -> ModelSpec:
        """A model as the workspace's files declare it."""
        return self.service.workspace.model_specs[name]

    @property
    def history(self) -> History:
        """All of the log."""
        return History(self.service.engine, self.service.engine.evaluated_seq)

    def table(self, name: str, moment: str) -> Table:
        """Whom a model is about at a moment, without labels ahead."""
        return table_at(self.spec(name), self.history, at(moment))

    def labelled(self, name: str, *moments: str) -> list[Table]:
        """The same at several moments, with what came after."""
        return labelled(self.spec(name), self.history, [at(each) for each in moments])

    def count(self, condition: str, moment: str | None = None) -> int:
        """For how many profiles a condition holds."""
        return self.service.preview(condition, None if moment is None else at(moment)).count


def at(text: str) -> int:
    """A moment in ms."""
    found = parse_instant(text)
    assert found is not None
    return found


@contextmanager
def shown(
    write: Callable[[Path], None],
    models: Mapping[str, Mapping[str, object]],
    mapping: str | None = None,
    lists: Mapping[str, list[str]] | None = None,
) -> Iterator[Shown]:
    """A workspace of models and lists, and the rows that ``write`` puts into a Parquet file, imported."""
    with scratch() as folder:
        for kind in ("models", "lists"):
            (folder / kind).mkdir()
        for name, model in models.items():
            head = {"model": name, "owner": "bench@shop.example", "description": "Measured."}
            (folder / "models" / f"{name}.yaml").write_text(
                yaml.safe_dump({**head, **model}, sort_keys=False)
            )
        for name, users in (lists or {}).items():
            (folder / "lists" / f"{name}.yaml").write_text(yaml.safe_dump({"list": name, "users": users}))
        file = folder / "rows.parquet"
        write(file)
        with Service.open(folder, folder / "data") as service:
            said = None if mapping is None else read_mapping(mapping)
            service.import_file(file, said, "bench", lambda _done, _total: None)
            yield Shown(service)


def written(query: str) -> Callable[[Path], None]:
    """Writes what a query gives."""

    def write(file: Path) -> None:
        with duckdb.connect() as connection:
            connection.sql(query).write_parquet(str(file))

    return write


def cdnow(sample: bool = False) -> Callable[[Path], None]:
    """69,659 purchases of 23,570 customers of a record shop, or of every tenth of them."""
    name, user = ("cdnow_sample.csv.gz", "master_id") if sample else ("cdnow_full.csv.gz", "user_id")
    return written(_ORDERS.format(user=f"{user}::varchar", file=data_folder() / name))


def retail() -> Callable[[Path], None]:
    """The invoices of a year of a shop for gifts."""
    return written(_INVOICES.format(file=RETAIL_FILE))


def clicks() -> Callable[[Path], None]:
    """The first three hours of a day of a large shop."""
    return written(f"select * from read_csv('{data_folder() / 'rees46_20191001.csv.gz'}')")


def people(name: str, user: str, moment: str) -> Callable[[Path], None]:
    """A table of people: what each row says of one becomes their traits."""
    file = data_folder() / name
    rows = f"select {user}::varchar as user_id, timestamp '{moment}' as ts, * exclude ({user})"
    return written(f"{rows} from read_csv('{file}', all_varchar = true)")


def columns(name: str) -> list[str]:
    """The columns of a table of people."""
    with duckdb.connect() as connection:
        return connection.sql(f"select * from read_csv('{data_folder() / name}') limit 1").columns


def as_traits(names: list[str]) -> str:
    """The mapping by which they become traits."""
    return f'user=user_id,timestamp=ts,type="identify",traits={",".join(names)}'


def folds(count: int, parts: int = 5, seed: int = 0) -> npt.NDArray[np.intp]:
    """A part for each of ``count`` rows, drawn at random, all of nearly one size."""
    return np.random.default_rng(seed).permutation(count) % parts
