"""Responses of a known form as Arrow arrays: decoded and held against the form in one pass.

Arrow's JSON reader takes the form as its schema and refuses fields that are new or of another type. What it takes for
the same, a field that is null and one that is missing, is looked at again where the form tells them apart. Not here:
what is different about a response that does not fit (``drift``), how it is loaded all the same (``loaders``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import msgspec
import pyarrow as pa
from msgspec import inspect
from pyarrow import json as arrow_json

from kalshi_pipeline.schemas.wire import WireObject


def decode_known(form: type[WireObject], bodies: Sequence[bytes | msgspec.Raw]) -> pa.StructArray | None:
    """The bodies as one array of structs, one for each; ``None`` where any of them does not fit the form.

    Args:
        form: the form of the whole body.
        bodies: JSON documents without line breaks.

    Raises:
        TypeError: the form has a field that Arrow has no type for.
    """
    schema = arrow_schema(form)
    lines = b"\n".join(bodies)
    try:
        table = arrow_json.read_json(
            pa.BufferReader(lines),
            # One block: a body is a line, and blocks may not cut lines more than once.
            read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
            parse_options=arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != len(bodies):
        return None
    found = table.to_struct_array().combine_chunks()
    if _tells_missing_from_null(found, inspect.type_info(form)) and not all(fits(form, body) for body in bodies):
        return None
    return found


def fits(form: type[WireObject], body: bytes | msgspec.Raw) -> bool:
    """Whether a body holds the form, by msgspec."""
    try:
        _decoder(form).decode(body)
    except msgspec.ValidationError:
        return False
    return True


@cache
def arrow_schema(form: type[WireObject]) -> pa.Schema:
    """The form in Arrow's types.

    Raises:
        TypeError: a field holds what Arrow has no type for.
    """
    return pa.schema(_arrow_type(inspect.type_info(form)).fields)


@cache
def _decoder(form: type[WireObject]) -> msgspec.json.Decoder[WireObject]:
    return msgspec.json.Decoder(form)


_PLAIN: dict[type[inspect.Type], pa.DataType] = {
    inspect.StrType: pa.string(),
    inspect.IntType: pa.int64(),
    inspect.FloatType: pa.float64(),
    inspect.BoolType: pa.bool_(),
}


def _arrow_type(known: inspect.Type) -> pa.DataType:
    known = _valued(known)
    match known:
        case inspect.StructType():
            return pa.struct([(one.encode_name, _arrow_type(one.type)) for one in known.fields])
        case inspect.ListType():
            return pa.list_(_arrow_type(known.item_type))
    if type(known) not in _PLAIN:
        raise TypeError(f"Arrow has no type for {known}.")
    return _PLAIN[type(known)]


def _valued(known: inspect.Type) -> inspect.Type:
    """What a field is when it has a value."""
    if isinstance(known, inspect.UnionType):
        (known,) = (one for one in known.types if not isinstance(one, inspect.NoneType))
    return known


def _tells_missing_from_null(found: pa.Array, known: inspect.Type) -> bool:
    """Whether anything is null where the form does not allow both a null and a missing field."""
    known = _valued(known)
    match known:
        case inspect.ListType():
            items = found.flatten()
            return bool(items.null_count) or _tells_missing_from_null(items, known.item_type)
        case inspect.StructType():
            for one, values in zip(known.fields, found.flatten(), strict=True):
                free = isinstance(one.type, inspect.UnionType) and not one.required
                if (values.null_count and not free) or _tells_missing_from_null(values, one.type):
                    return True
    return False
