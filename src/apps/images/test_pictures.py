"""Looking into picture files, and shrinking them."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from apps.images import pictures

RED, BLUE = (220, 20, 20), (20, 20, 220)


def picture(form: str = "JPEG", *, size: tuple[int, int] = (400, 200), orientation: int = 1) -> BytesIO:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = BytesIO()
    image.save(file, form, **({"exif": exif} if form == "JPEG" else {}))
    file.seek(0)
    return file


def png_head(width: int, height: int) -> BytesIO:
    """A PNG that says it is this large, and holds next to nothing."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"IDAT" + zlib.compress(b"\0")
    chunks = b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in (head, body, b"IEND")
    )
    return BytesIO(b"\x89PNG\r\n\x1a\n" + chunks)


@pytest.mark.parametrize("form", pictures.FORMATS)
def test_it_tells_the_facts_of_each_format(form: str) -> None:
    assert pictures.inspect(picture(form)) == pictures.Facts(format=form, width=400, height=200)


def test_it_gives_the_size_as_one_looks_at_it() -> None:
    facts = pictures.inspect(picture(orientation=6))

    assert (facts.width, facts.height) == (200, 400)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.4",
        picture("PNG").getvalue()[:-40],
        picture("BMP").getvalue(),
        picture("TIFF").getvalue(),
    ],
    ids=["empty", "cut head", "svg", "pdf", "cut png", "bmp", "tiff"],
)
def test_it_refuses_what_is_no_whole_picture(content: bytes) -> None:
    with pytest.raises(pictures.NotAPictureError, match="known formats: JPEG, PNG, WEBP, GIF"):
        pictures.inspect(BytesIO(content))


@pytest.mark.parametrize("side", [7000, 12_000, 30_000, 60_000])
def test_it_refuses_a_bomb_by_its_head(side: int) -> None:
    with pytest.raises(pictures.TooManyPixelsError):
        pictures.inspect(png_head(side, side))


def test_it_refuses_a_bomb_when_shrinking_too(tmp_path: Path) -> None:
    (tmp_path / "bomb").write_bytes(png_head(7000, 7000).getvalue())

    with pytest.raises(pictures.TooManyPixelsError):
        list(pictures.shrink(tmp_path / "bomb", edges={"small": 10}))


def test_it_shrinks_largest_first_and_never_enlarges(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(picture().getvalue())

    made = list(pictures.shrink(tmp_path / "file", edges={"small": 40, "large": 1000}))

    assert [(each.size, each.width, each.height) for each in made] == [("large", 400, 200), ("small", 40, 20)]
    assert Image.open(BytesIO(made[1].data)).size == (40, 20)


def test_it_turns_the_picture_as_exif_asks(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(picture(orientation=6).getvalue())  # to be turned right: left becomes top

    [made] = pictures.shrink(tmp_path / "file", edges={"small": 100})

    image = Image.open(BytesIO(made.data))
    assert image.size == (50, 100)
    assert _is_near(image.getpixel((25, 10)), RED)
    assert _is_near(image.getpixel((25, 90)), BLUE)
    assert image.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "CMYK"])
def test_it_takes_every_kind_of_colour(tmp_path: Path, mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"
    Image.new(mode, (100, 100)).save(tmp_path / "file", form)

    [made] = pictures.shrink(tmp_path / "file", edges={"small": 10})

    assert Image.open(BytesIO(made.data)).mode == "RGB"


def test_it_makes_white_of_what_is_transparent(tmp_path: Path) -> None:
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(tmp_path / "file", "PNG")

    [made] = pictures.shrink(tmp_path / "file", edges={"small": 10})

    assert _is_near(Image.open(BytesIO(made.data)).getpixel((5, 5)), (255, 255, 255))


def test_it_says_that_a_file_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(picture(size=(2000, 2000)).getvalue()[:5000])

    with pytest.raises(pictures.NotAPictureError, match="damaged"):
        list(pictures.shrink(tmp_path / "file", edges={"small": 10}))


def _is_near(pixel: object, colour: tuple[int, int, int]) -> bool:
    return isinstance(pixel, tuple) and all(abs(a - b) < 40 for a, b in zip(pixel, colour, strict=True))
