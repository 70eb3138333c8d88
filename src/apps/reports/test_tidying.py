"""Reports whose time is over."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from apps.reports.conftest import START, MakeReport, make_job, path_of
from apps.reports.models import Report
from apps.reports.tasks import tidy_reports

pytestmark = pytest.mark.django_db


def _tidy() -> Any:
    return tidy_reports.apply(throw=True).result


def _make_older(folder: Path) -> None:
    then = timezone.now() - timedelta(days=2)
    Report.objects.update(created_at=then)
    for path in folder.rglob("*"):
        os.utime(path, (then.timestamp(), then.timestamp()))


@pytest.fixture
def two(report_of: MakeReport, user: Any, tmp_path: Path) -> dict[str, Path]:
    """Two reports of two days ago, whose jobs are there; their files by id."""
    files = {}
    for job_id in ("one", "two"):
        files[job_id] = path_of(report_of(job_id=job_id))
        make_job(user, job_id=job_id, at=START)
    _make_older(tmp_path)
    return files


def test_a_report_lives_as_long_as_its_job(two: dict[str, Path], user: Any) -> None:
    assert _tidy() == {"over": 0, "lost": 0, "files": 0}
    user.jobs.filter(pk="one").delete()

    assert _tidy() == {"over": 1, "lost": 0, "files": 1}

    assert [each.pk for each in Report.objects.all()] == ["two"]
    assert [path.exists() for path in two.values()] == [False, True]


def test_a_row_without_its_file_goes(two: dict[str, Path]) -> None:
    two["one"].unlink()

    assert _tidy() == {"over": 0, "lost": 1, "files": 0}
    assert [each.pk for each in Report.objects.all()] == ["two"]


def test_what_a_killed_worker_left_goes(two: dict[str, Path], tmp_path: Path) -> None:
    part = two["one"].with_suffix(".1.part")
    part.write_bytes(b"half")
    _make_older(tmp_path)

    assert _tidy() == {"over": 0, "lost": 0, "files": 1}
    assert not part.exists()


def test_what_is_being_made_stays(report_of: MakeReport) -> None:
    path = path_of(report_of())
    part = path.with_suffix(".1.part")
    part.write_bytes(b"half")

    assert _tidy() == {"over": 0, "lost": 0, "files": 0}
    assert (path.exists(), part.exists()) == (True, True)
