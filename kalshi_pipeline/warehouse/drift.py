"""Whether landed responses still look as the exchange's are known to: new, missing and retyped fields, counted.

Every response is decoded against its stated form, which is fast and says only that something is wrong; a response that
does not fit is then compared field by field. Loading goes on whatever is found here: values that cannot be read are
quarantined by the load. Not here: the forms (``schemas.wire``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import duckdb
import msgspec
from msgspec import inspect

from kalshi_pipeline.schemas.table import Table
from kalshi_pipeline.schemas.wire import ANSWERS, WireObject
from kalshi_pipeline.warehouse.envelopes import Envelope, read_responses
from kalshi_pipeline.warehouse.known_form import fits

Kind = Literal["new", "missing", "retyped"]


@dataclass(frozen=True, order=True)
class Difference:
    """How a field differs from what is known of it.

    Attributes:
        kind: the field is new, missing or of another type.
        field: where it is, like ``markets[].yes_bid_dollars``.
        expected: its JSON type as known; empty for a new field.
        seen: its JSON type as it came; empty for a missing field.
    """

    kind: Kind
    field: str
    expected: str
    seen: str


@dataclass
class DriftReport:
    """What a scan found.

    Attributes:
        responses: responses that were looked at.
        counts: how many objects differ in each way.
        examples: a unit of work in which each difference is to be seen.
    """

    responses: int = 0
    counts: Counter[Difference] = field(default_factory=Counter)
    examples: dict[Difference, str] = field(default_factory=dict)

    def hold(self, envelope: Envelope, form: type[WireObject]) -> bool:
        """Hold a response against its form and count what differs; returns whether nothing does."""
        self.responses += 1
        if fits(form, envelope.body):
            return True
        found = Counter(differences(msgspec.json.decode(envelope.body), form))
        self.counts.update(found)
        for difference in found:
            self.examples.setdefault(difference, envelope.unit_id)
        return False

    def add(self, other: DriftReport) -> None:
        """Take in what was found in further responses."""
        self.responses += other.responses
        self.counts.update(other.counts)
        self.examples = other.examples | self.examples

    @property
    def readable(self) -> bool:
        """Whether all that is known is still there as it was: new fields lose nothing that is loaded today."""
        return all(difference.kind == "new" for difference in self.counts)


def scan_drift(dataset: str, files: Sequence[Path]) -> DriftReport:
    """Hold every successful response of landed files against the form that is known of it.

    Args:
        dataset: landed dataset the files belong to.
        files: landed files; they are read line by line, so memory holds one response at a time.
    """
    report = DriftReport()
    for envelope, _ in (response for file in files for response in read_responses(file)):
        report.hold(envelope, ANSWERS[dataset][envelope.tier])
    return report


def record_drift(con: duckdb.DuckDBPyConnection, table: Table, report: DriftReport, *, run_id: str) -> None:
    """Count the differences in ``meta.wire_drift``, in place of those the run counted before."""
    con.execute("DELETE FROM meta.wire_drift WHERE table_name = ? AND run_id = ?", [table.qualified_name, run_id])
    for seen, objects in sorted(report.counts.items()):
        con.execute(
            "INSERT INTO meta.wire_drift VALUES (?, ?, ?, ?, ?, ?, ?, ?, now())",
            [
                table.qualified_name,
                run_id,
                seen.kind,
                seen.field,
                seen.expected or None,
                seen.seen or None,
                objects,
                report.examples[seen],
            ],
        )


def differences(document: Any, form: type[WireObject]) -> Iterator[Difference]:
    """Every difference of a decoded document from its form, as often as it occurs."""
    return _compare(document, inspect.type_info(form), "")


def _compare(value: Any, known: inspect.Type, path: str) -> Iterator[Difference]:
    match known:
        case inspect.UnionType():
            fitting = [form for form in known.types if _fits(value, form)]
            if fitting:
                yield from _compare(value, fitting[0], path)
            else:
                yield Difference("retyped", path, _named(known), _kind(value))
        case _ if not _fits(value, known):
            yield Difference("retyped", path, _named(known), _kind(value))
        case inspect.ListType():
            for item in value:
                yield from _compare(item, known.item_type, f"{path}[]")
        case inspect.StructType():
            yield from _compare_fields(value, known, f"{path}." if path else "")


def _compare_fields(value: dict[str, Any], known: inspect.StructType, prefix: str) -> Iterator[Difference]:
    fields = {one.encode_name: one for one in known.fields}
    for name in value.keys() - fields.keys():
        yield Difference("new", prefix + name, "", _kind(value[name]))
    for name, one in fields.items():
        if name in value:
            yield from _compare(value[name], one.type, prefix + name)
        elif one.required:
            yield Difference("missing", prefix + name, _named(one.type), "")


def _fits(value: Any, known: inspect.Type) -> bool:
    """Whether a value is of the JSON type, whatever it holds."""
    match known:
        case inspect.AnyType():
            return True
        case inspect.IntType():
            return _kind(value) == "number" and float(value).is_integer()
        case _:
            return _kind(value) == _named(known)


def _named(known: inspect.Type) -> str:
    """The JSON type in words; null is named only where there is nothing else."""
    match known:
        case inspect.UnionType():
            names = [_named(form) for form in known.types if not isinstance(form, inspect.NoneType)]
            return " or ".join(names)
        case inspect.IntType():
            return "whole number"
        case _:
            return _WORDS[type(known)]


_WORDS: dict[type[inspect.Type], str] = {
    inspect.StrType: "text",
    inspect.FloatType: "number",
    inspect.BoolType: "boolean",
    inspect.NoneType: "null",
    inspect.ListType: "list",
    inspect.DictType: "object",
    inspect.StructType: "object",
    inspect.AnyType: "anything",
}


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case _:
            return "object"
