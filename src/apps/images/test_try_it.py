"""Thumbnails tried in the browser."""

from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from apps.images.models import Upload
from apps.images.tasks import make_thumbnails
from warren.delivery.models import Job
from warren.delivery.states import State
from warren.try_it import conftest as try_it

pytestmark = pytest.mark.django_db

PATH = "/try/images.make_thumbnails/"
_site, browser = try_it._site, try_it.browser


def _post(browser: Client, content: bytes, **more: str) -> Any:
    return browser.post(PATH, {"file": SimpleUploadedFile("photo.png", content), **more})


def _png() -> bytes:
    file = BytesIO()
    Image.new("RGB", (40, 20), "green").save(file, "PNG")
    return file.getvalue()


def test_its_form_sends_a_file(browser: Client) -> None:
    page = browser.get(PATH).content.decode()

    assert 'enctype="multipart/form-data"' in page
    assert '<input type="file" id="images-make_thumbnails-file" name="file"' in page


def test_an_upload_leads_to_its_thumbnails(browser: Client, user: Any) -> None:
    answer = _post(browser, _png())

    upload, job = Upload.objects.get(), Job.objects.get()
    assert (answer.status_code, answer.url, upload.owner) == (302, f"{PATH}{job.pk}/", user)
    made: Any = make_thumbnails.apply((upload.pk,), throw=True)
    result = make_thumbnails.backend.encode(made.result)
    Job.objects.update(state=State.SUCCEEDED, result=result, finished_at="2026-05-01T00:00:00Z")
    page = browser.get(answer.url).content.decode()
    url = f"/api/images/{upload.pk}/thumbnails/small/"
    assert f'<img src="{url}" alt="The picture, small: 40 by 20 pixels"' in page
    assert browser.get(url).status_code == 200


def test_a_second_click_uploads_nothing(browser: Client) -> None:
    first, second = (_post(browser, _png(), key="k") for _ in range(2))

    assert first.url == second.url
    assert (Upload.objects.count(), Job.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("content", "status", "said"), [(b"no picture", 400, "not a whole picture"), (b"", 400, "empty")]
)
def test_what_is_no_picture_is_refused_beside_the_field(
    browser: Client, content: bytes, status: int, said: str
) -> None:
    answer = _post(browser, content)

    assert answer.status_code == status
    assert said in answer.content.decode()
    assert 'id="images-make_thumbnails-file-error"' in answer.content.decode()


def test_too_large_a_file_is_refused(browser: Client, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 10

    answer = _post(browser, _png())

    assert (answer.status_code, "larger than 10 bytes" in answer.content.decode()) == (413, True)
