"""Files and the rows that name them, brought back into agreement.

They part when a process dies between the two, when a row is deleted (its file is left), or when a volume is lost.
A file is written before its row, so what is young is left alone.

    the volume is not there      all files seem gone: no row is deleted, and the job fails and says so
    a file is read meanwhile     whoever has opened it reads it to its end
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from itertools import batched
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import QuerySet

from warren.delivery import in_batches

type Known = Callable[[Collection[str]], Collection[str]]


class StorageGoneError(Exception):
    """No file of these rows is there: more likely a volume that is not mounted than so many lost files."""


def delete_unknown(folder: str, *, known: Known, before: datetime) -> int:
    """Delete the storage's files in `folder`, and below, that no row names; returns how many.

    `known` is given names as rows hold them, and gives back those that rows do hold. What has changed since `before`
    is left alone. Folders that are empty go too.
    """
    root = Path(default_storage.path(""))
    deleted = 0
    for names in batched(_names(root, folder, before), in_batches.BATCH, strict=False):
        unknown = set(names) - set(known(names))
        for name in unknown:
            (root / name).unlink(missing_ok=True)
        deleted += len(unknown)
    _remove_empty(root / folder, before)
    return deleted


def delete_top_level(folder: Path, *, pattern: str, before: datetime) -> int:
    """Delete the files of this pattern that lie directly in a folder and are older; returns how many."""
    old = [path for path in folder.glob(pattern) if path.is_file() and _is_older(path.stat(), before)]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def rows_without(rows: QuerySet[Any], *, field: str = "file") -> list[int | str]:
    """Keys of those rows whose file is gone. Raises `StorageGoneError` if every one's is, of two or more."""
    pairs = rows.order_by("pk").values_list("pk", field).iterator(chunk_size=in_batches.BATCH)
    total = 0
    lost = []
    for pk, name in pairs:
        total += 1
        if not default_storage.exists(name):
            lost.append(pk)
    if len(lost) == total > 1:
        raise StorageGoneError(f"not one of {total} files is in {default_storage.path('')}; is the volume there?")
    return lost


def delete_rows(model_rows: QuerySet[Any], *, keys: Iterable[int | str]) -> int:
    """Delete the rows of these keys, batch by batch; returns how many."""
    batches = batched(keys, in_batches.BATCH, strict=False)
    return sum(in_batches.delete(model_rows.filter(pk__in=batch).order_by("pk")) for batch in batches)


def _names(root: Path, folder: str, before: datetime) -> Iterator[str]:
    """Lazily, because there may be millions."""
    for parent, _, files in os.walk(root / folder):
        for file in files:
            path = Path(parent, file)
            try:
                if _is_older(path.stat(), before):
                    yield path.relative_to(root).as_posix()
            except FileNotFoundError:  # somebody was faster
                continue


def _remove_empty(folder: Path, before: datetime) -> None:
    for parent, folders, _ in os.walk(folder, topdown=False):
        for each in folders:
            path = Path(parent, each)
            if _is_older(path.stat(), before) and not any(path.iterdir()):
                path.rmdir()


def _is_older(found: os.stat_result, before: datetime) -> bool:
    return found.st_mtime < before.timestamp()
