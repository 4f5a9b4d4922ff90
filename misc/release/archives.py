"""Archives whose bytes depend on their contents, a time and the machine's zlib alone."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

# A zip file's times begin here: https://docs.python.org/3/library/zipfile.html#zipfile.ZipInfo
ZIP_BEGINS = 315532800
_UNIX = 3
_REGULAR = 0o100000


@dataclass(frozen=True)
class Entry:
    """A file of an archive."""

    data: bytes
    executable: bool = False

    @property
    def mode(self) -> int:
        return 0o755 if self.executable else 0o644


def zipped(entries: Mapping[str, Entry], epoch: int, start: bytes = b"") -> bytes:
    """Return a zip file of entries by name; start is what comes before, such as a `#!` line."""
    whole = io.BytesIO()
    whole.write(start)
    when = time.gmtime(max(epoch, ZIP_BEGINS))[:6]
    with zipfile.ZipFile(whole, "w") as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, when)
            info.create_system = _UNIX
            info.external_attr = (_REGULAR | entries[name].mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, entries[name].data, compresslevel=9)
    return whole.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    """Return the files of a zip file by name."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {
            info.filename: archive.read(info) for info in archive.infolist() if not info.is_dir()
        }


def tarred(entries: Mapping[str, Entry], epoch: int) -> bytes:
    """Return a .tar.gz of entries by name."""
    whole = io.BytesIO()
    with (
        gzip.GzipFile(
            filename="", mode="wb", fileobj=whole, compresslevel=9, mtime=epoch
        ) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(entries):
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(entries[name].data), epoch
            info.mode = entries[name].mode
            archive.addfile(info, io.BytesIO(entries[name].data))
    return whole.getvalue()


def untarred(data: bytes) -> dict[str, Entry]:
    """Return the files of a .tar.gz by name."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        for info in archive.getmembers():
            file = archive.extractfile(info) if info.isfile() else None
            if file is not None:
                found[info.name] = Entry(file.read(), bool(info.mode & 0o100))
    return found
