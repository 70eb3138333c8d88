"""Pictures' files and rows in agreement."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from apps.images.models import Thumbnail, Upload
from apps.images.tasks import tidy_pictures
from warren.maintenance.files import StorageGoneError

pytestmark = pytest.mark.django_db


def _upload(owner: Any) -> Upload:
    upload = Upload(owner=owner, format="PNG", bytes=1, width=1, height=1)
    upload.file.save("", ContentFile(b"x"), save=False)
    upload.save()
    folder = Path(upload.file.path).parents[1] / "thumbnails" / str(upload.pk)
    folder.mkdir(parents=True)
    (folder / "small.jpg").write_bytes(b"x")
    name = f"thumbnails/{upload.pk}/small.jpg"
    Thumbnail.objects.create(upload=upload, size="small", file=name, bytes=1, width=1, height=1)
    return upload


@pytest.fixture
def two(user: Any, tmp_path: Path) -> list[Upload]:
    """Two uploads, each with a thumbnail, of two days ago."""
    made = [_upload(user), _upload(user)]
    Upload.objects.update(created_at=timezone.now() - timedelta(days=2))
    then = (timezone.now() - timedelta(days=2)).timestamp()
    for path in tmp_path.rglob("*"):
        os.utime(path, (then, then))
    return made


def _tidy() -> Any:
    return tidy_pictures.apply(throw=True).result


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_it_leaves_what_belongs_together(two: list[Upload], tmp_path: Path) -> None:
    before = _files(tmp_path)

    assert set(_tidy().values()) == {0}
    assert _files(tmp_path) == before
    assert Upload.objects.count() == len(two)


def test_it_deletes_the_files_of_deleted_rows(two: list[Upload], tmp_path: Path) -> None:
    two[0].delete()

    deleted = _tidy()

    assert deleted == {"uploads": 0, "thumbnails": 0, "upload_files": 1, "thumbnail_files": 1}
    assert _files(tmp_path) == {Path(two[1].file.path), Path(two[1].thumbnails.get().file.path)}


def test_it_deletes_rows_whose_file_is_gone(two: list[Upload]) -> None:
    Path(two[0].file.path).unlink()

    deleted = _tidy()

    assert (deleted["uploads"], deleted["thumbnail_files"]) == (1, 1)
    assert [each.upload_id for each in Thumbnail.objects.all()] == [two[1].pk]


@pytest.mark.usefixtures("two")
def test_it_deletes_nothing_when_the_volume_is_not_there(tmp_path: Path) -> None:
    for path in _files(tmp_path):
        path.unlink()

    with pytest.raises(StorageGoneError):
        _tidy()

    assert (Upload.objects.count(), Thumbnail.objects.count()) == (2, 2)
