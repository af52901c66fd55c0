"""What can go wrong with the warehouse: one exception per remedy, each with one clear sentence."""

from __future__ import annotations


class WarehouseError(RuntimeError):
    """The warehouse cannot be used; the message says why and what to do."""


class WarehouseMissing(WarehouseError):
    """There is no file yet."""


class WarehouseLocked(WarehouseError):
    """Another process, or another connection of this one, held the file until the deadline."""


class WarehouseOutdated(WarehouseError):
    """The file's schema is older than the code: it has to be migrated."""


class WarehouseTooNew(WarehouseError):
    """The file's schema is newer than the code: the code has to be updated."""


class MigrationError(WarehouseError):
    """A migration cannot be applied, or an applied one is not the one this code knows."""


class CopyFailed(WarehouseError):
    """The file could not be copied; it is as it was."""


class UnknownTable(WarehouseError):
    """A table was asked for that the warehouse does not give away; the message lists those it does."""

    not_found = True
