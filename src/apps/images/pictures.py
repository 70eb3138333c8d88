"""Looks into picture files, and shrinks them. Knows Pillow; knows nothing of Django's models or of HTTP."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")

# A file of a few kB can unpack to gigabytes. 40 million pixels are a large camera's picture, and 160 MB in memory.
MAX_PIXELS = 40_000_000

QUALITY = 85  # of JPEG; above, files grow faster than what one sees
_ORIENTATION = 0x0112  # EXIF tag; 5 to 8 are turned by a quarter
_QUARTER_TURNS = range(5, 9)


class NotAPictureError(Exception):
    """The file is not a whole picture of a known format."""


class TooManyPixelsError(Exception):
    """The picture would need too much memory."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a file's head tells: its format, and its size in pixels as it is looked at."""

    format: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Shrunk:
    """A small JPEG."""

    size: str
    width: int
    height: int
    data: bytes


def inspect(file: IO[bytes]) -> Facts:
    """The picture's facts, by its content and never by its name. Raises `NotAPictureError`, `TooManyPixelsError`."""
    try:
        picture = Image.open(file, formats=FORMATS)
        _refuse_too_many_pixels(picture)
        picture.verify()  # it leaves the picture unusable
        file.seek(0)
        return _facts(Image.open(file, formats=FORMATS))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise TooManyPixelsError(str(exc)) from exc
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as exc:
        raise NotAPictureError(f"This is not a whole picture; known formats: {', '.join(FORMATS)}.") from exc


def shrink(path: Path, *, edges: Mapping[str, int]) -> Iterator[Shrunk]:
    """The picture at each size, largest first, turned as its EXIF data asks; none is made larger than it was.

    `edges` maps the size's name to its longest edge in pixels. Raises `NotAPictureError` for a damaged file.
    """
    picture = _load(path, longest_edge=max(edges.values()))
    for size, edge in sorted(edges.items(), key=lambda item: -item[1]):
        picture.thumbnail((edge, edge))
        buffer = BytesIO()
        picture.save(buffer, "JPEG", quality=QUALITY, optimize=True)
        yield Shrunk(size=size, width=picture.width, height=picture.height, data=buffer.getvalue())


def _load(path: Path, *, longest_edge: int) -> Image.Image:
    try:
        with Image.open(path, formats=FORMATS) as picture:
            _refuse_too_many_pixels(picture)
            picture.thumbnail((longest_edge, longest_edge))  # a JPEG is decoded no larger than needed
            return _opaque(ImageOps.exif_transpose(picture))
    except OSError as exc:
        raise NotAPictureError(f"the file is damaged: {exc}") from exc


def _opaque(picture: Image.Image) -> Image.Image:
    """The picture in JPEG's colours; what is transparent becomes white."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert("RGB")


def _refuse_too_many_pixels(picture: Image.Image) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise TooManyPixelsError(
            f"{picture.width} x {picture.height} pixels; at most {MAX_PIXELS} in all are accepted."
        )


def _facts(picture: Image.Image) -> Facts:
    # where a head has no EXIF data, Pillow would decode the whole picture to look for it
    turned = "exif" in picture.info and picture.getexif().get(_ORIENTATION) in _QUARTER_TURNS
    width, height = (picture.height, picture.width) if turned else (picture.width, picture.height)
    return Facts(format=picture.format or "", width=width, height=height)
