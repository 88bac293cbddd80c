"""The SQL twin: conditions and segments as DuckDB would judge them."""

from segue.language.reading import scalar_key
from segue.language.sql.conditions import where_sql
from segue.language.sql.readings import property_sql, read_sql, scalar_sql
from segue.language.sql.select import segment_sql

__all__ = ["property_sql", "read_sql", "scalar_key", "scalar_sql", "segment_sql", "where_sql"]
