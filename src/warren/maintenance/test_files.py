"""Files and the rows that name them."""

import os
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from pytest_django import Settings

from warren.maintenance import files, tasks

NOW = datetime.now(UTC)
BEFORE = NOW - timedelta(days=1)


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def _file(path: Path, *, age: timedelta = timedelta(days=2)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    then = (NOW - age).timestamp()
    os.utime(path, (then, then))
    return path


def _known(*names: str) -> files.Known:
    def known(asked: Collection[str]) -> Collection[str]:
        return set(names) & set(asked)

    return known


def test_it_deletes_old_files_that_no_row_names(media: Path) -> None:
    kept = [
        _file(media / "uploads/known"),
        _file(media / "uploads/young", age=timedelta(hours=1)),
        _file(media / "elsewhere/unknown"),
    ]
    gone = [_file(media / "uploads/unknown"), _file(media / "uploads/7/deep/unknown")]

    deleted = files.delete_unknown("uploads", known=_known("uploads/known"), before=BEFORE)

    assert deleted == 2
    assert [path for path in gone if path.exists()] == []
    assert [path for path in kept if not path.exists()] == []


def test_it_deletes_old_empty_folders(media: Path) -> None:
    _file(media / "uploads/full/known")
    for name, age in (("old", timedelta(days=2)), ("young", timedelta(hours=1))):
        (media / "uploads" / name).mkdir()
        then = (NOW - age).timestamp()
        os.utime(media / "uploads" / name, (then, then))

    files.delete_unknown("uploads", known=_known("uploads/full/known"), before=BEFORE)

    assert {path.name for path in (media / "uploads").iterdir()} == {"full", "young"}


def test_it_does_nothing_where_there_is_no_folder() -> None:
    assert files.delete_unknown("uploads", known=_known(), before=BEFORE) == 0


@pytest.mark.django_db
def test_it_finds_rows_whose_file_is_gone(media: Path) -> None:
    _file(media / "there")
    for name in ("there", "gone"):
        Group.objects.create(name=name)

    lost = files.rows_without(Group.objects.all(), field="name")

    assert lost == [Group.objects.get(name="gone").pk]
    assert files.delete_rows(Group.objects.all(), keys=lost) == 1
    assert [each.name for each in Group.objects.all()] == ["there"]


@pytest.mark.django_db
def test_it_takes_no_row_for_lost_when_all_files_are() -> None:
    for name in ("one", "two"):
        Group.objects.create(name=name)

    with pytest.raises(files.StorageGoneError, match="not one of 2 files"):
        files.rows_without(Group.objects.all(), field="name")


def test_it_deletes_what_a_killed_web_had_received(media: Path) -> None:
    old, young = _file(media / "tmpa.upload.jpg"), _file(media / "tmpb.upload", age=timedelta(hours=1))
    other = _file(media / "uploads/tmpc.upload")

    assert tasks.delete_spooled_uploads.apply(throw=True).result == 1
    assert (old.exists(), young.exists(), other.exists()) == (False, True, True)
