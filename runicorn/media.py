"""Images of a run: bringing what scripts have (arrays, PIL images, bytes, files) into files of its media folder."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import Any

from runicorn.errors import InvalidInput
from runicorn.storage import layout

#: How a file of that kind begins, and its extension.
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
)
_EXTENSION = re.compile(r"^[a-z0-9]{1,8}$")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_KEY_MAX_CHARS = 100
_PILLOW_NAMES = {"jpg": "jpeg", "tif": "tiff"}
#: What each format can store; other images are converted to its last mode.
_MODES = {"png": ("1", "L", "LA", "I", "P", "RGBA", "RGB"), "jpeg": ("L", "RGB"), "bmp": ("1", "L", "P", "RGB")}
_ANY_MODE = ("L", "RGBA", "RGB")


def encode_image(image: Any, *, format: str, quality: int) -> tuple[bytes, str]:
    """The bytes of an image file, and its extension.

    image: PIL image; array (numpy, or a torch tensor) of shape (H, W), (H, W, C) or (C, H, W) with C of 1, 3 or 4,
    as integers or bools, or as floats in 0-1 or 0-255 (NaN becomes 0); the bytes of an image file; or its path.
    format: of what is encoded here; bytes and files stay as they are. quality: 1-100, for lossy formats.
    Raises FileNotFoundError, RuntimeError if Pillow is needed and missing, InvalidInput for everything else.
    """
    extension = format.lower().lstrip(".")
    if not _EXTENSION.match(extension):
        raise InvalidInput(f"The image format {format!r} is no file extension; use 'png', 'jpg' or 'webp'.")
    if isinstance(image, (bytes, bytearray, memoryview)):
        return bytes(image), _extension_of(bytes(image[:16])) or extension
    if isinstance(image, (str, os.PathLike)):
        path = Path(image)
        content = path.read_bytes()
        suffix = path.suffix.lower().lstrip(".")
        return content, _extension_of(content[:16]) or (suffix if _EXTENSION.match(suffix) else extension)
    return _encode_with_pillow(image, extension, quality), extension


def media_name(key: str, extension: str, *, now: float) -> str:
    """A fresh path relative to the run directory, such as ``media/1736868645123_0f3a9c_val_grid.png``."""
    safe = _UNSAFE.sub("_", key)[:_KEY_MAX_CHARS] or "image"
    return f"{layout.MEDIA_DIR}/{int(now * 1000)}_{os.urandom(3).hex()}_{safe}.{extension}"


def write_media(run_dir: Path, name: str, content: bytes) -> None:
    """Write a file of the media folder whole, so that no reader sees half an image. Raises OSError."""
    path = run_dir / name
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _extension_of(head: bytes) -> str | None:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return next((extension for signature, extension in _SIGNATURES if head.startswith(signature)), None)


def _encode_with_pillow(image: Any, extension: str, quality: int) -> bytes:
    try:
        from PIL import Image  # not at the top: optional, and slow to load
    except ImportError as error:
        raise RuntimeError(
            "log_image needs Pillow for PIL images and arrays; run 'pip install pillow', or pass bytes or a path."
        ) from error
    picture = image if isinstance(image, Image.Image) else Image.fromarray(_as_pixels(image))
    name = _PILLOW_NAMES.get(extension, extension)
    modes = _MODES.get(name, _ANY_MODE)
    if picture.mode not in modes:
        picture = picture.convert(modes[-1])
    buffer = io.BytesIO()
    try:
        picture.save(buffer, format=name, quality=quality)
    except (KeyError, OSError, ValueError) as error:
        raise InvalidInput(f"Pillow cannot write the image as {extension!r}: {error}; use 'png'.") from error
    return buffer.getvalue()


def _as_pixels(image: Any) -> Any:
    """uint8 array of shape (H, W) or (H, W, C) with C of 3 or 4."""
    import numpy as np  # not at the top: optional, and slow to load

    if hasattr(image, "detach"):  # torch: off the graph and off the GPU
        image = image.detach().cpu()
    try:
        array = np.asarray(image)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"A {type(image).__name__} is no image; pass an array, PIL image, bytes or path.") from error
    if array.ndim == 3 and array.shape[0] in (1, 3, 4) and array.shape[2] not in (1, 3, 4):
        array = np.moveaxis(array, 0, 2)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.size == 0 or array.dtype.kind not in "buif" or not _is_image_shape(array.shape):
        raise InvalidInput(f"An array of shape {array.shape} and type {array.dtype} is no image; use (H, W, 3).")
    return np.ascontiguousarray(_as_bytes(array, np))


def _is_image_shape(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))


def _as_bytes(array: Any, np: Any) -> Any:
    """Values as uint8: bools and floats up to 1 are scaled by 255, all others are cut at 0 and 255."""
    if array.dtype == np.uint8:
        return array
    unit = array.dtype.kind == "b"
    if array.dtype.kind == "f":
        array = array.astype(np.float64)
        finite = array[np.isfinite(array)]
        unit = finite.size == 0 or finite.max() <= 1.0
        array = np.nan_to_num(array, nan=0.0, posinf=1.0 if unit else 255.0, neginf=0.0)
    return np.clip(np.rint(array * 255.0 if unit else array), 0, 255).astype(np.uint8)
