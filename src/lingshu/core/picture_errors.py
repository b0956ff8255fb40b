"""What a picture's reader says of a broken file, in words that are equal in every run."""

from __future__ import annotations

from PIL import UnidentifiedImageError


def said(error: BaseException) -> str:
    """Return an error's text; Pillow's on an unknown format without the address in memory that stands in it."""
    return "cannot identify image file" if isinstance(error, UnidentifiedImageError) else str(error)
