"""The landing folder: compressed files of envelopes, written whole or not at all, and their manifests.

``<root>/<dataset>/<folder>/<unit_id>.jsonl.gz`` holds one unit, one response a line;
``<root>/<dataset>/manifests/<partition>.json`` says which units make up a partition. Files are written under
``<root>/.incoming`` and renamed, so a killed writer leaves nothing that could be taken for a unit.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import re
import time
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from kalshi_pipeline.exchange.transport import Response
from kalshi_pipeline.landing.envelope import envelope
from kalshi_pipeline.landing.manifests import Manifest, UnitEntry

_SUFFIX = ".jsonl.gz"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_ABANDONED_AFTER_SECONDS = 86_400.0

#: Name of the newest observation of a reference dataset among its manifests.
LATEST = "latest"


def safe_name(text: str) -> str:
    """A ticker or run id as a file name."""
    return _UNSAFE.sub("_", text)


class UnitWriter:
    """Receives the responses of one unit while it is fetched."""

    def __init__(self, stream: Any, unit_id: str, run_id: str) -> None:
        self._stream = stream
        self._unit_id = unit_id
        self._run_id = run_id
        # Raw zlib with a gzip header: no time stamp, so equal responses give equal files.
        self._zip = zlib.compressobj(level=1, wbits=31)
        self._digest = hashlib.sha256()
        self.bytes = self.responses = self.rows = 0
        self.tickers: set[str] = set()

    def add(self, response: Response, context: Mapping[str, Any], rows: int) -> None:
        """Append one response.

        Args:
            response: the response.
            context: what it is about; ``tickers`` in it are the markets it was asked for.
            rows: how many rows it holds.
        """
        context = {**context, "rows": rows}
        self._write(self._zip.compress(envelope(response, unit_id=self._unit_id, run_id=self._run_id, context=context)))
        self.responses += 1
        self.rows += rows
        self.tickers.update(context.get("tickers", ()))

    def finish(self) -> str:
        """Write what is left; returns the checksum of the file."""
        self._write(self._zip.flush())
        return self._digest.hexdigest()

    def _write(self, chunk: bytes) -> None:
        self._stream.write(chunk)
        self._digest.update(chunk)
        self.bytes += len(chunk)


@dataclass
class LandingStore:
    """The landing folder of one exchange.

    Attributes:
        root: the folder; it is made when the first unit is written.
    """

    root: Path

    # Units ------------------------------------------------------------------------------------------------------------

    def path(self, dataset: str, folder: str, unit_id: str) -> Path:
        """Where the file of a unit is, or would be."""
        return self.root / dataset / safe_name(folder) / f"{safe_name(unit_id)}{_SUFFIX}"

    @staticmethod
    def unit_id(path: Path) -> str:
        """Which unit a file holds."""
        return path.name.removesuffix(_SUFFIX)

    def write(
        self, path: Path, unit_id: str, run_id: str, context: Mapping[str, Any], fill: Callable[[UnitWriter], None]
    ) -> UnitEntry:
        """Write one unit; ``fill`` adds its responses. The file appears at ``path`` whole, or not if ``fill`` fails."""
        temporary = self._incoming() / f"{path.name}.{uuid.uuid4().hex}"
        try:
            with temporary.open("wb") as stream:
                writer = UnitWriter(stream, unit_id, run_id)
                fill(writer)
                sha256 = writer.finish()
                stream.flush()
                os.fsync(stream.fileno())
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        return UnitEntry(
            unit_id=unit_id,
            context=context,
            path=path.relative_to(self.root).as_posix(),
            sha256=sha256,
            bytes=writer.bytes,
            responses=writer.responses,
            rows=writer.rows,
            tickers=tuple(sorted(writer.tickers)),
        )

    def entry(self, path: Path, context: Mapping[str, Any] | None = None) -> UnitEntry | None:
        """What the file of a unit holds; ``None`` where there is no file or it cannot be read to its end.

        Args:
            path: the file.
            context: what the unit is about; what its first response says of itself, where that is left out.
        """
        try:
            with path.open("rb") as packed:
                sha256, packed_bytes = hashlib.file_digest(packed, hashlib.sha256).hexdigest(), packed.tell()
            heads = list(_heads(path))
        except (FileNotFoundError, EOFError, zlib.error, gzip.BadGzipFile, ValueError):
            return None
        if context is None:
            if not heads:
                return None
            context = heads[0]["context"]
        return UnitEntry(
            unit_id=self.unit_id(path),
            context=context,
            path=path.relative_to(self.root).as_posix(),
            sha256=sha256,
            bytes=packed_bytes,
            responses=len(heads),
            rows=sum(head["context"]["rows"] for head in heads),
            tickers=tuple(sorted({t for head in heads for t in head["context"].get("tickers", ())})),
        )

    def unit_files(self, dataset: str, folder: str) -> list[Path]:
        """The files of all units in a folder."""
        return sorted((self.root / dataset / safe_name(folder)).glob(f"*{_SUFFIX}"))

    # Manifests --------------------------------------------------------------------------------------------------------

    def manifest(self, dataset: str, partition: str) -> Manifest | None:
        """The manifest of a partition; ``None`` where there is none that can be read: the partition has not landed."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            return Manifest.from_json(self._manifest_path(dataset, partition).read_text())
        return None

    def manifests(self, dataset: str, partitions: Iterable[str]) -> list[Manifest]:
        """The manifests of those of the partitions that have landed, in the order asked for."""
        return [found for name in partitions if (found := self.manifest(dataset, name))]

    def write_manifest(self, manifest: Manifest) -> None:
        """Put a manifest in place of the one before."""
        path = self._manifest_path(manifest.dataset, manifest.partition)
        temporary = self._incoming() / f"{path.name}.{uuid.uuid4().hex}"
        temporary.write_text(manifest.to_json())
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(path)

    def partitions(self, dataset: str) -> list[str]:
        """Names of the partitions that have a manifest."""
        return sorted(path.stem for path in (self.root / dataset / "manifests").glob("*.json"))

    def files(self, dataset: str, days: Iterable[date] | None = None) -> list[Path]:
        """The landed files of a dataset, each once: of these days, or of the newest observation without any."""
        names: Sequence[str] = [LATEST] if days is None else sorted(day.isoformat() for day in days)
        paths = (self.root / unit.path for manifest in self.manifests(dataset, names) for unit in manifest.landed)
        return list(dict.fromkeys(paths))

    def reasons(self, dataset: str, days: Iterable[date]) -> dict[date, str]:
        """What the manifests of these days say about why they hold what they hold."""
        manifests = {day: self.manifest(dataset, day.isoformat()) for day in days}
        return {
            day: manifest.reason if manifest else "Nothing has landed for this day."
            for day, manifest in manifests.items()
            if manifest is None or manifest.reason
        }

    def _manifest_path(self, dataset: str, partition: str) -> Path:
        return self.root / dataset / "manifests" / f"{safe_name(partition)}.json"

    def _incoming(self) -> Path:
        folder = self.root / ".incoming"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def sweep(self) -> None:
        """Remove what writers that were killed more than a day ago have left under ``.incoming``."""
        horizon = time.time() - _ABANDONED_AFTER_SECONDS
        for path in self._incoming().iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < horizon:
                    path.unlink()


def _heads(path: Path) -> Iterator[dict[str, Any]]:
    """The envelopes in a gzip file, without bodies; an empty file, which gzip takes for empty content, is cut off."""
    if not path.stat().st_size:
        raise EOFError("an empty file")
    with gzip.open(path) as lines:
        yield from map(_head, lines)


def _head(line: bytes) -> dict[str, Any]:
    """The envelope of a line without its body."""
    head: dict[str, Any] = json.loads(line[: line.index(b', "body": ')] + b"}")
    return head
