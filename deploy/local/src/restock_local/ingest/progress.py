"""How far a file has come, kept beside it: a run that was killed goes on where the door answered.

Items are counted once their answer is known and what was refused is on the disk. What was sent and
not yet counted is sent again; the door knows it by its id.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson


class OtherFile(Exception):
    """What was begun was other content, or for somebody else."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What is sent to whom: where anything of it differs, nothing has been sent yet.

    Attributes:
        url: The door.
        shop: For whom.
        kind: What the file holds.
        digest: SHA-256 of the whole file.
    """

    url: str
    shop: str
    kind: str
    digest: str


@dataclass(slots=True)
class Progress:
    """What has become of a file so far.

    Attributes:
        begun: What is sent to whom.
        items: Those that are dealt with.
        accepted: Of them, those that are durable.
        refused: Of them, those that will never be taken.
        refused_bytes: How long the file of the refused ones is then.
        finished: There are no more.
    """

    begun: Begun
    items: int = 0
    accepted: int = 0
    refused: int = 0
    refused_bytes: int = 0
    finished: bool = False


class Ledger:
    """Keeps the progress of one file, and its refused items.

    Args:
        path: The file.
        kind: What it holds.
        url: The door that it is sent to.
        shop: For whom.

    Raises:
        OtherFile: What stands beside it is of other content, or was sent to somebody else.
    """

    def __init__(self, path: Path, kind: str, *, url: str, shop: str) -> None:
        self._place = path.with_name(path.name + ".ingest.json")
        self.refused_path = path.with_name(path.name + ".refused.ndjson")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        begun = Begun(url.rstrip("/"), shop, kind, digest)
        self.progress = Progress(begun)
        if self._place.exists():
            known = orjson.loads(self._place.read_bytes())
            before = known.pop("begun", {})
            if before != asdict(begun):
                others = [name for name, now in asdict(begun).items() if before.get(name) != now]
                raise OtherFile(
                    f"{path.name} was begun with another {' and '.join(others)}: remove"
                    f" {self._place.name} to begin anew"
                )
            self.progress = Progress(begun, **known)
        if self.refused_path.exists():
            os.truncate(self.refused_path, self.progress.refused_bytes)

    def note(self, *, accepted: int, refused: Sequence[Mapping[str, Any]]) -> None:
        """Count answered items; what was refused is on the disk first."""
        if refused:
            with self.refused_path.open("ab") as file:
                for one in refused:
                    file.write(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE))
                file.flush()
                os.fsync(file.fileno())
                self.progress.refused_bytes = file.tell()
        self.progress.items += accepted + len(refused)
        self.progress.accepted += accepted
        self.progress.refused += len(refused)
        self._keep()

    def finish(self) -> None:
        """Note that the file has ended."""
        self.progress.finished = True
        self._keep()

    def _keep(self) -> None:
        new = self._place.with_name(self._place.name + ".new")
        with new.open("wb") as file:
            file.write(orjson.dumps(asdict(self.progress), option=orjson.OPT_APPEND_NEWLINE))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._place)
