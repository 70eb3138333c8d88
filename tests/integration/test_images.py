"""Pictures become thumbnails: real files, through the volume that web and worker-cpu share."""

from io import BytesIO

import httpx
import pytest
from PIL import Image, ImageDraw

from tests.stack import api
from tests.stack.api import Api
from tests.stack.stack import Stack

EDGES = {"large": 1280, "medium": 480, "small": 160}
WIDTH, HEIGHT = 2400, 1600


def test_an_uploaded_picture_becomes_thumbnails(stack: Stack, member: Api) -> None:
    accepted = member.request("POST", "/api/images/", files={"file": ("holiday.png", _picture("PNG"), "image/png")})

    assert accepted.status_code == httpx.codes.ACCEPTED, accepted.text
    made = member.result(accepted.json()["task_id"])["result"]
    upload = member.get(f"/api/images/{accepted.json()['id']}/").json()
    assert {each["size"] for each in made} == EDGES.keys()
    assert (upload["width"], upload["height"], upload["format"]) == (WIDTH, HEIGHT, "PNG")
    for each in upload["thumbnails"]:
        file = member.get(each["url"])
        with Image.open(BytesIO(file.content)) as thumbnail:
            edge = EDGES[each["size"]]
            assert (thumbnail.format, thumbnail.size) == ("JPEG", (edge, round(edge * HEIGHT / WIDTH)))
            assert _is_red(thumbnail.getpixel((edge // 8, edge // 8)))
        assert (len(file.content), file.headers["Content-Type"]) == (each["bytes"], "image/jpeg")
    stranger = api.register(stack.web_url)
    assert stranger.get(upload["thumbnails"][0]["url"]).status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\x89PNG\r\n\x1a\n" + b"\0" * 100])
def test_what_is_no_picture_is_refused(member: Api, content: bytes) -> None:
    answer = member.request("POST", "/api/images/", files={"file": ("holiday.png", content, "image/png")})

    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "file" in answer.json()["errors"]


def test_too_large_a_file_is_refused(stack: Stack, member: Api) -> None:
    content = b"\0" * (int(stack.values["UPLOAD_MAX_BYTES"]) + 100_000)

    answer = member.request("POST", "/api/images/", files={"file": ("holiday.png", content, "image/png")})

    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE


def _picture(kind: str) -> bytes:
    """Red in its upper left quarter, blue elsewhere."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), "blue")
    ImageDraw.Draw(picture).rectangle((0, 0, WIDTH // 2, HEIGHT // 2), fill="red")
    file = BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def _is_red(pixel: object) -> bool:
    assert isinstance(pixel, tuple)
    red, green, blue = pixel
    return bool(red > 200 and green < 60 and blue < 60)
