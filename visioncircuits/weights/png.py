"""Pictures as the bytes of a PNG, for notebooks."""

import io

from PIL import Image


def png(picture: Image.Image) -> bytes:
    """Return a picture as a PNG.

    Examples
    --------
    >>> png(Image.new("RGB", (2, 2)))[1:4]
    b'PNG'
    """
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
