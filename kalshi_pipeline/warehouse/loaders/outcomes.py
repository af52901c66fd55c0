"""What releases turned out to be -> ``raw.outcome_vintages``: three feeds, one append-only table of statements.

The exchange's settlements (from ``raw.settlements``), landed vintages of published statistics, and a file of published
values. A text is read as a number or not at all; which event a period belongs to, and which statement counts, is
decided by the models over the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from kalshi_pipeline.schemas.raw import OUTCOME_VINTAGES
from kalshi_pipeline.warehouse.errors import WarehouseError
from kalshi_pipeline.warehouse.loaders.landed import responses, struct
from kalshi_pipeline.warehouse.loaders.wire import content_hash, texts
from kalshi_pipeline.warehouse.writing import WriteReport, append_versions

#: Where a day is all that is known, and nothing is known of the series.
_EASTERN = "America/New_York"
#: Columns of a file of published values, and of a file of payroll levels by the month of their release.
FILE_COLUMNS = ("series_ticker", "reference_period", "published_at", "value")
LEVEL_COLUMNS = ("ref_month", "release_month", "employment_sa")


class VintagesFileError(WarehouseError):
    """The file of published values cannot be used; the message names it and what it should hold."""


@dataclass(frozen=True)
class StatisticRule:
    """How the published numbers of a series are read.

    Attributes:
        series_ticker: the series.
        statistic: identifier of its statistic in the archive of vintages, where it has one.
        scale: factor from the archive's unit to the unit of the series.
        grid_step: step of the grid the number is published on; ``None`` leaves numbers as they are.
        release_time: local time of publication, ``HH:MM``; ``None`` where it is not known.
        timezone: IANA zone of that time.
    """

    series_ticker: str
    statistic: str | None = None
    scale: float = 1.0
    grid_step: float | None = None
    release_time: str | None = None
    timezone: str = _EASTERN


def load_outcome_vintages(
    con: duckdb.DuckDBPyConnection,
    files: Sequence[Path] = (),
    rules: Sequence[StatisticRule] = (),
    vintages_file: Path | None = None,
    *,
    run_id: str,
) -> WriteReport:
    """Add the statements that settlements, landed vintages and the file hold and the table does not.

    Args:
        con: a connection inside a transaction.
        files: landed answers of the archive of vintages.
        rules: how the numbers of a series are read, for the archive and the file.
        vintages_file: Parquet or CSV with :data:`FILE_COLUMNS` or :data:`LEVEL_COLUMNS`.
        run_id: the run that writes.

    Raises:
        VintagesFileError: the file is absent or has other columns.
        BlockedWrite: see :func:`~kalshi_pipeline.warehouse.writing.append_versions`.
    """
    con.execute(_RULES)
    if rules:
        con.executemany(
            "INSERT INTO statistic_rules VALUES (?, ?, ?, ?, ?, ?)",
            [[r.series_ticker, r.statistic, r.scale, r.grid_step, r.release_time, r.timezone] for r in rules],
        )
    statements = [_settled(), _archived(files)]
    if vintages_file is not None:
        statements.append(_filed(con, vintages_file))
    con.execute(
        f"""
        CREATE OR REPLACE TEMP VIEW stated_outcomes AS
        WITH statements AS ({" UNION ALL BY NAME ".join(f"({statement})" for statement in statements)})
        SELECT
            * EXCLUDE (is_unreadable),
            {content_hash(("series_ticker", "value_text", "value"))} AS content_hash,
            CASE WHEN is_unreadable THEN 'value: unreadable' END AS row_fault
        FROM statements
        """
    )
    report = append_versions(con, OUTCOME_VINTAGES, "stated_outcomes", run_id=run_id)
    con.execute("DROP VIEW stated_outcomes; DROP TABLE statistic_rules")
    return report


_RULES = """
    CREATE OR REPLACE TEMP TABLE statistic_rules (
        series_ticker VARCHAR, statistic VARCHAR, scale DOUBLE, grid_step DOUBLE, release_time VARCHAR, zone VARCHAR
    )
"""


def _settled() -> str:
    """What the exchange says its markets settled on; free text stays text, with the reason beside it.

    A sign, a dollar sign, thousands separators in groups of three and a percent sign are read, anything else is never
    guessed. A percentage keeps its scale: '4.2%' is 4.2, the unit in which strikes are listed.
    """
    number = r"[+-]?\$?((\d+|\d{1,3}(,\d{3})+)(\.\d*)?|\.\d+)\s?%?"
    return rf"""
        WITH published AS (
            SELECT *, trim(expiration_value) AS value_text FROM raw.settlements WHERE trim(expiration_value) <> ''
        )
        SELECT
            'exchange_settlement' AS source,
            series_ticker,
            event_ticker AS release_id,
            event_ticker,
            NULL::DATE AS reference_period,
            ticker AS stated_by,
            value_text,
            CASE WHEN regexp_full_match(value_text, '{number}')
                THEN TRY_CAST(regexp_replace(value_text, '[\s$,%]', '', 'g') AS DOUBLE) END AS value,
            CASE WHEN value IS NULL THEN 'not_a_number' END AS reject_reason,
            learned_at AS vintage_at,
            learned_at,
            learned_at_basis,
            observed_at,
            ingested_at,
            unit_id,
            FALSE AS is_unreadable
        FROM published
    """


def _archived(files: Sequence[Path]) -> str:
    """Values of the archive: of each only the days between which it stood are known."""
    rows = f"{struct(texts('realtime_start', 'date', 'value'))}[]"
    return f"""
        WITH responses AS ({responses(files, struct({"observations": rows}))}),
        items AS (SELECT * EXCLUDE (body), unnest(body.observations) AS item FROM responses),
        dated AS (
            SELECT
                context.series_ticker AS series_ticker, rules.statistic, rules.scale, rules.grid_step,
                TRY_CAST(item.date AS DATE) AS reference_period,
                item.value AS value_text,
                {_instant("item.realtime_start")} AS vintage_at,
                CASE WHEN rules.release_time IS NULL THEN 'end_of_day' ELSE 'release_time' END AS learned_at_basis,
                received_at,
                unit_id
            FROM items LEFT JOIN statistic_rules AS rules ON rules.series_ticker = context.series_ticker
            -- The archive's word for a period without a value.
            WHERE item.value <> '.'
        )
        {_period_statements("alfred", "coalesce(statistic, 'unknown')")}
    """


def _filed(con: duckdb.DuckDBPyConnection, path: Path) -> str:
    """Values of the file, each where it differs from what the file said before about the same period."""
    if not path.exists():
        raise VintagesFileError(f"There is no file of published values at {path}; see KALSHI_OUTCOME_VINTAGES.")
    name = "'" + str(path).replace("'", "''") + "'"
    source = f"read_csv({name}, all_varchar = true)" if path.suffix.lower() == ".csv" else f"read_parquet({name})"
    columns = {row[0] for row in con.execute(f"DESCRIBE FROM {source}").fetchall()}
    received = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat()
    origin = f"'{received}'::TIMESTAMPTZ AS received_at, '{path.name.replace(chr(39), '')}' AS unit_id"
    if set(FILE_COLUMNS) <= columns:
        values = f"""
            SELECT
                file.series_ticker, rules.grid_step, 1.0 AS scale,
                TRY_CAST(file.reference_period AS DATE) AS reference_period,
                file.value::VARCHAR AS value_text,
                CASE WHEN length(file.published_at::VARCHAR) = 10 THEN {_instant("file.published_at::VARCHAR")}
                    ELSE TRY_CAST(file.published_at::VARCHAR AS TIMESTAMPTZ) END AS vintage_at,
                CASE WHEN length(file.published_at::VARCHAR) > 10 THEN 'published_at'
                    WHEN rules.release_time IS NULL THEN 'end_of_day' ELSE 'release_time' END AS learned_at_basis,
                {origin}
            FROM {source} AS file LEFT JOIN statistic_rules AS rules USING (series_ticker)
        """
    elif set(LEVEL_COLUMNS) <= columns:
        # The settled change is the new level less the month before's, both as one release has them. Only the month of
        # a release is known, so its values count from the end of that month.
        values = f"""
            SELECT
                'KXPAYROLLS' AS series_ticker, NULL::DOUBLE AS grid_step, 1.0 AS scale,
                (new.ref_month || '-01')::DATE AS reference_period,
                (new.employment_sa - before.employment_sa)::VARCHAR AS value_text,
                ((new.release_month || '-01')::DATE + INTERVAL 1 MONTH) AT TIME ZONE '{_EASTERN}' AS vintage_at,
                'end_of_month' AS learned_at_basis,
                {origin}
            FROM {source} AS new JOIN {source} AS before
                ON before.release_month = new.release_month
                AND (before.ref_month || '-01')::DATE + INTERVAL 1 MONTH = (new.ref_month || '-01')::DATE
        """
    else:
        raise VintagesFileError(
            f"{path} holds the columns {', '.join(sorted(columns))}; a file of published values holds "
            f"{', '.join(FILE_COLUMNS)}, or payroll levels as {', '.join(LEVEL_COLUMNS)}."
        )
    return f"""
        WITH dated AS (
            FROM ({values}) QUALIFY value_text IS DISTINCT FROM lag(value_text) OVER (
                PARTITION BY series_ticker, reference_period ORDER BY vintage_at
            )
        )
        {_period_statements("vintages_file", "unit_id")}
    """


def _instant(day: str) -> str:
    """The moment of a day from which a value of the series is taken as known: its release time, else the day's end."""
    at = f"""CASE WHEN rules.release_time IS NULL THEN TRY_CAST({day} AS DATE) + INTERVAL 1 DAY
        ELSE TRY_CAST({day} || ' ' || rules.release_time AS TIMESTAMP) END"""
    return f"({at}) AT TIME ZONE coalesce(rules.zone, '{_EASTERN}')"


def _period_statements(source: str, stated_by: str) -> str:
    """Statements about reference periods, from rows named ``dated``; numbers are put on the series' grid."""
    return f"""
        SELECT * EXCLUDE (stated) FROM (SELECT
            '{source}' AS source,
            series_ticker,
            series_ticker || ':' || reference_period AS release_id,
            NULL::VARCHAR AS event_ticker,
            reference_period,
            {stated_by} AS stated_by,
            value_text,
            TRY_CAST(value_text AS DOUBLE) * coalesce(scale, 1) AS stated,
            -- Rounded as decimals are, so that 3 tenths are the same number here and in a strike.
            round(coalesce(round(stated / grid_step) * grid_step, stated), 8) AS value,
            NULL::VARCHAR AS reject_reason,
            vintage_at,
            vintage_at AS learned_at,
            learned_at_basis,
            received_at AS observed_at,
            received_at AS ingested_at,
            unit_id,
            value IS NULL OR NOT isfinite(value) AS is_unreadable
        FROM dated)
    """
