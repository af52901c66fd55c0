"""A warehouse cut off at an instant: raw rows that were not known yet are gone, and the compiled models run again.

The models are the statements that dbt compiled, run in their order over views of the raw tables, all in memory, beside
the whole warehouse. What counts as known is stated here once more, apart from the models.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from kalshi_pipeline.research.mappings import map_versions

#: Raw table -> since when each of its rows could be known.
KNOWN_SINCE: Mapping[str, str] = {
    "series": "observed_at",
    "events": "observed_at",
    # A listing is public from its opening on; what replaced it, from its observation on.
    "markets": """
        if(observed_at = min(observed_at) over (partition by ticker),
            least(observed_at, greatest(open_time, coalesce(created_time, open_time))), observed_at)
    """,
    "settlements": "learned_at",
    # What is said anew about an old vintage was not known before it was said.
    "outcome_vintages": """
        if(observed_at = min(observed_at) over (partition by source, release_id, stated_by, vintage_at),
            learned_at, greatest(learned_at, observed_at))
    """,
    "quotes": "observed_at",
    "candles": "bucket_end",
    "trades": "created_time",
}


#: Later than anything.
END = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Model:
    """A model as dbt compiled it: the relation it makes (schema and table, quoted) and its statement."""

    relation: str
    sql: str


def compiled_models(target: Path) -> list[Model]:
    """The models of the last ``dbt run``, each after those it reads.

    Args:
        target: dbt's target folder.
    """
    ran = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    models = [row for row in ran if row["unique_id"].startswith("model.")]
    return [Model(row["relation_name"].split(".", 1)[1], row["compiled_code"]) for row in models]


@dataclass(frozen=True)
class Comparison:
    """What must not depend on anything that became known after an instant.

    Attributes:
        name: what is compared.
        rows: statement over the models; ``$cut`` stands for the instant, ``{reads}`` for where the as-of reads are.
        grows: whether the warehouse without a future may hold more: rows that something later replaced.
    """

    name: str
    rows: str
    grows: bool = False


def _versions(table: str) -> str:
    """Versions known at the instant, without ends that came after it."""
    return (
        "select * replace (if(known_until <= $cut, known_until, null) as known_until, "
        f"known_until is null or known_until > $cut as is_current) from marts.{table} where known_at <= $cut"
    )


COMPARISONS: Sequence[Comparison] = (
    Comparison("quotes", "from marts.quotes where available_ts <= $cut"),
    Comparison("candles", "from marts.candles where available_ts <= $cut"),
    Comparison("trades", "from marts.trades where available_ts <= $cut"),
    Comparison(
        "bars of trades",
        "from {reads}.candles_by_source(null, timestamptz '2000-01-01', timestamptz '2100-01-01', minutes := 60) "
        "where source = 'trades' and available_ts <= $cut",
    ),
    Comparison("market specifications", _versions("market_specifications")),
    Comparison("event specifications", _versions("event_specifications")),
    Comparison("outcomes", "select * exclude (is_latest) from marts.event_outcomes where learned_at <= $cut"),
    Comparison("first prints", "from marts.event_outcomes_first_print where learned_at <= $cut"),
    Comparison(
        "settlements",
        "select ticker, event_ticker, result, settlement_value, yes_payout, expiration_value, learned_at "
        "from marts.market_settlements where learned_at <= $cut",
        grows=True,
    ),
    Comparison("quotes as of", "from {reads}.quotes_asof($cut)"),
    Comparison(
        "specifications as of", "select * exclude (known_until, is_current) from {reads}.specifications_asof($cut)"
    ),
    Comparison("outcomes as of", "from {reads}.outcomes_asof($cut)"),
    Comparison("mapping as of", "select * exclude (valid_to) from {reads}.mapping_asof($cut)"),
)


class Models:
    """The models of a warehouse in memory, over what was known at one instant after the other."""

    def __init__(self, con: duckdb.DuckDBPyConnection, models: Sequence[Model]) -> None:
        self.con = con
        self._models = models
        for schema in ("raw", "meta", "staging", "intermediate", "marts", "research", "known"):
            con.execute(f"create schema {schema}")
        con.execute("create view meta.partition_loads as from whole.meta.partition_loads")
        for table, since in KNOWN_SINCE.items():
            con.execute(f"create table known.{table} as select *, {since} as known_since from whole.raw.{table}")

    def build(self, instant: datetime) -> Models:
        """Build everything again from the rows that were known at an instant."""
        for table in KNOWN_SINCE:
            self.con.execute(
                f"create or replace view raw.{table} as select * exclude (known_since) from known.{table} "
                f"where known_since <= timestamptz '{instant.isoformat()}'"
            )
        for model in self._models:
            self.con.execute(f"create or replace table {model.relation} as {model.sql}")
        mapped, _ = map_versions(self.con.execute("from marts.market_specifications").to_arrow_table())
        self.con.register("mapped", mapped)
        self.con.execute("create or replace table research.event_market_map_versions as from mapped")
        return self

    def moments(self, table: str) -> np.ndarray[Any, Any]:
        """The instants at which rows of a raw table became known, as microseconds since 1970."""
        sql = f"select distinct epoch_us(known_since) as moment from known.{table} order by all"
        return np.asarray(self.con.execute(sql).fetchnumpy()["moment"])


@dataclass(frozen=True)
class CutWarehouse:
    """The models over everything, over what was known at an instant, and the file that dbt built."""

    whole: Models
    cut: Models
    file: duckdb.DuckDBPyConnection

    def cuts(self, count: int, seed: int) -> list[datetime]:
        """Random instants: half anywhere while there are bars, half when some row became known, or just before."""
        rng = np.random.default_rng(seed)
        every = [moments for moments in map(self.whole.moments, KNOWN_SINCE) if moments.size]
        bars = self.whole.moments("candles")
        drawn: list[int] = []
        while len(drawn) < count:
            moments = every[rng.integers(len(every))]
            of_row = int(moments[rng.integers(moments.size)]) - int(rng.integers(2))
            # Of some tables all rows became known at a few moments: no instant is taken twice.
            is_new = len(drawn) % 2 and of_row not in drawn
            drawn.append(of_row if is_new else int(rng.integers(bars[0], bars[-1] + 1)))
        return [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment) for moment in drawn]

    def before_a_revision(self) -> list[datetime]:
        """The second before the last revision of an outcome was learned; months lie between revisions."""
        last = "select max(learned_at) - interval 1 second from marts.event_outcomes where revision_number > 0"
        return [instant for (instant,) in self.whole.con.execute(last).fetchall() if instant is not None]

    def differences(self, instant: datetime) -> list[str]:
        """Where the past becomes another without whatever became known after an instant."""
        self.cut.build(instant)
        return list(_differences(self.whole.con, self.cut.con, "whole.marts", instant))

    def unlike_the_file(self) -> list[str]:
        """Where the models built here are not what dbt built: then nothing here would prove anything."""
        return list(_differences(self.file, self.whole.con, "marts", END))


def _differences(
    one: duckdb.DuckDBPyConnection, other: duckdb.DuckDBPyConnection, reads: str, instant: datetime
) -> Iterator[str]:
    for comparison in COMPARISONS:
        left, right = comparison.rows.format(reads=reads), comparison.rows.format(reads="whole.marts")
        if _summary(one, left, instant) == _summary(other, right, instant):
            continue
        expected, found = _rows(one, left, instant), _rows(other, right, instant)
        for row in sorted(expected - found)[:2]:
            yield f"{comparison.name} at {instant}: without what came later there is no {row}"
        for row in [] if comparison.grows else sorted(found - expected)[:2]:
            yield f"{comparison.name} at {instant}: only without what came later there is {row}"


def _summary(con: duckdb.DuckDBPyConnection, sql: str, instant: datetime) -> tuple[Any, ...]:
    """How many rows there are, and a number that any other rows would change."""
    counted = f"select count(*), sum(hash(found)::hugeint) from ({sql}) as found"
    return con.execute(counted, {"cut": instant}).fetchall()[0]


def _rows(con: duckdb.DuckDBPyConnection, sql: str, instant: datetime) -> set[str]:
    found = con.execute(f"select found::varchar from ({sql}) as found", {"cut": instant}).fetchall()
    return {row for (row,) in found}


@contextmanager
def cut_warehouse(database: Path, models: Sequence[Model]) -> Iterator[CutWarehouse]:
    """Open a warehouse file to cut it off.

    Compiled statements name their tables in a catalogue ``kalshi``: that is the file to one connection, and a database
    in memory to the others, which know the file as ``whole``.

    Args:
        database: the file.
        models: what to build; may be others than those that built the file.
    """
    with duckdb.connect() as file, duckdb.connect() as whole, duckdb.connect() as cut:
        for con in (file, whole, cut):
            con.execute("set timezone = 'UTC'; set threads = 1")
        file.execute(f"attach '{database}' as kalshi (read_only); use kalshi")
        for con in (whole, cut):
            con.execute(f"attach '{database}' as whole (read_only); attach ':memory:' as kalshi; use kalshi")
        yield CutWarehouse(Models(whole, models).build(END), Models(cut, models), file)
