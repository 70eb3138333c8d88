"""Pictures by HTTP, and the task that makes their thumbnails."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection
from PIL import Image
from pytest_django import Settings
from rest_framework.test import APIClient

from apps.images import tasks
from apps.images.models import Thumbnail, Upload
from apps.images.tasks import make_thumbnails
from warren.delivery.models import Job

pytestmark = pytest.mark.django_db


def _png(size: tuple[int, int] = (2000, 1000)) -> bytes:
    file = BytesIO()
    Image.new("RGB", size, "green").save(file, "PNG")
    return file.getvalue()


def _send(api: APIClient, content: bytes, *, name: str = "photo.png") -> Any:
    return api.post("/api/images/", {"file": SimpleUploadedFile(name, content)}, format="multipart")


@pytest.fixture
def upload(api: APIClient) -> Upload:
    return Upload.objects.get(pk=_send(api, _png()).json()["id"])


def test_it_keeps_the_picture_and_submits_the_task(api: APIClient, user: Any, tmp_path: Path) -> None:
    answer = _send(api, _png())

    assert answer.status_code == 202
    upload = Upload.objects.get(pk=answer.json()["id"])
    assert (upload.owner, upload.format, upload.width, upload.height) == (user, "PNG", 2000, 1000)
    assert (tmp_path / str(upload.file.name)).read_bytes() == _png()
    job = Job.objects.get(pk=answer.json()["task_id"])
    assert (job.task, job.queue, job.args, job.owner) == (make_thumbnails.name, "cpu", [upload.pk], user)
    assert api.get(answer.headers["Location"]).json()["state"] == "PENDING"


@pytest.mark.parametrize("name", ["../../evil.py", "/etc/passwd", "photo\x00.png", "x" * 300])
def test_it_takes_nothing_of_the_name_into_a_path(api: APIClient, tmp_path: Path, name: str) -> None:
    assert _send(api, _png((9, 9)), name=name).status_code == 202

    [path] = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert path.parent == tmp_path / "uploads"
    assert len(path.name) == 32


def test_it_refuses_what_is_no_picture_by_its_content(api: APIClient, tmp_path: Path) -> None:
    answer = _send(api, b"MZ not a picture", name="photo.png")

    assert answer.status_code == 400
    assert "JPEG" in answer.json()["errors"]["file"][0]
    assert not Upload.objects.exists()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("body", [{}, {"file": "text"}])
def test_it_asks_for_a_file(api: APIClient, body: dict[str, str]) -> None:
    answer = api.post("/api/images/", body, format="multipart")

    assert answer.status_code == 400
    assert "file" in answer.json()["errors"]


def test_it_refuses_another_form_of_body(api: APIClient) -> None:
    assert api.post("/api/images/", {"file": "x"}, format="json").status_code == 415


@pytest.mark.parametrize("over", [1, 100_000])
def test_it_refuses_a_file_over_the_limit(api: APIClient, settings: Settings, over: int) -> None:
    settings.UPLOAD_MAX_BYTES = 50_000

    answer = _send(api, b"\0" * (50_000 + over))

    assert answer.status_code == 413
    assert "50000" in answer.json()["detail"]


def test_it_takes_a_file_of_just_the_limit(api: APIClient, settings: Settings) -> None:
    settings.UPLOAD_MAX_BYTES = len(_png())

    assert _send(api, _png()).status_code == 202


def test_it_refuses_a_bomb(api: APIClient) -> None:
    answer = _send(api, _png((9000, 9000)))

    assert answer.status_code == 422
    assert "pixels" in answer.json()["errors"]["file"][0]


@pytest.mark.django_db(transaction=True)
def test_it_leaves_no_file_when_the_job_cannot_be_accepted(api: APIClient, tmp_path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE warren_outbox ADD CONSTRAINT no_more CHECK (false)")
    try:
        with pytest.raises(DatabaseError):
            _send(api, _png())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE warren_outbox DROP CONSTRAINT no_more")

    assert not Upload.objects.exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_it_takes_the_same_picture_with_the_same_key_once(api: APIClient, tmp_path: Path) -> None:
    def send(size: tuple[int, int]) -> Any:
        file = SimpleUploadedFile("photo.png", _png(size))
        return api.post("/api/images/", {"file": file}, format="multipart", headers={"Idempotency-Key": "picture 1"})

    first, second, other = send((9, 9)), send((9, 9)), send((8, 8))

    assert (first.status_code, second.status_code, other.status_code) == (202, 202, 409)
    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert Upload.objects.count() == Job.objects.count() == 1
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_it_makes_three_sizes(upload: Upload) -> None:
    made: Any = make_thumbnails.apply((upload.pk,), throw=True).result

    sizes = [(each["size"], each["width"], each["height"]) for each in made]
    assert sizes == [("large", 1280, 640), ("medium", 480, 240), ("small", 160, 80)]
    assert made[2]["url"] == f"/api/images/{upload.pk}/thumbnails/small/"
    assert json.dumps(made)


def test_it_tells_its_progress(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr(make_thumbnails, "update_state", lambda **state: told.append(state))

    make_thumbnails.apply((upload.pk,), throw=True)

    assert told == [{"state": "PROGRESS", "meta": {"done": done, "of": 3}} for done in (1, 2, 3)]


def test_it_leaves_the_same_when_it_runs_twice(upload: Upload, tmp_path: Path) -> None:
    runs = [make_thumbnails.apply((upload.pk,), throw=True).result for _ in range(2)]

    assert runs[0] == runs[1]
    assert Thumbnail.objects.count() == 3
    assert len(list((tmp_path / "thumbnails").rglob("*.*"))) == 3


def test_it_makes_nothing_of_an_upload_that_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger=tasks.__name__):
        assert make_thumbnails.apply((4711,), throw=True).result == []

    assert "4711" in caplog.text


def test_it_shows_an_upload_with_its_thumbnails(api: APIClient, upload: Upload) -> None:
    before = api.get(f"/api/images/{upload.pk}/").json()
    make_thumbnails.apply((upload.pk,), throw=True)
    after = api.get(f"/api/images/{upload.pk}/").json()

    assert (before["width"], before["thumbnails"]) == (2000, [])
    assert {each["size"] for each in after["thumbnails"]} == {"large", "medium", "small"}


def test_it_gives_out_thumbnails(api: APIClient, upload: Upload) -> None:
    make_thumbnails.apply((upload.pk,), throw=True)

    answer = api.get(f"/api/images/{upload.pk}/thumbnails/small/")

    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert Image.open(BytesIO(answer.content)).size == (160, 80)


def test_it_shows_pictures_to_their_owner_and_to_staff_only(
    upload: Upload, stranger_api: APIClient, staff_api: APIClient, anybody: APIClient
) -> None:
    make_thumbnails.apply((upload.pk,), throw=True)

    for path in (f"/api/images/{upload.pk}/", f"/api/images/{upload.pk}/thumbnails/small/"):
        statuses = [client.get(path).status_code for client in (stranger_api, staff_api, anybody)]
        assert statuses == [404, 200, 401], path


@pytest.mark.parametrize("path", ["9999", "9999/thumbnails/small", "{}/thumbnails/huge", "{}/thumbnails/small"])
def test_it_knows_nothing_else(api: APIClient, upload: Upload, path: str) -> None:
    answer = api.get(f"/api/images/{path.format(upload.pk)}/")

    assert answer.status_code == 404
    assert answer.json()["detail"]
