"""Pictures of what a model does, as PNG files written without an imaging library."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

from runicorn.demo.datasets import SIDE, Floats, Labels
from runicorn.demo.model import Classifier

Pixels = npt.NDArray[np.uint8]

#: Colours of up to three classes that stay apart under the common colour-vision deficiencies (Okabe-Ito).
CLASS_COLOURS = np.array([[0, 114, 178], [230, 159, 0], [0, 158, 115]], float)


def png(pixels: Pixels) -> bytes:
    """Encode uint8 (height, width) as grey or (height, width, 3) as colour. Format: PNG, W3C recommendation."""
    height, width = pixels.shape[:2]
    colour_type = 2 if pixels.ndim == 3 else 0
    # every line begins with its filter, 0 is none
    lines = b"".join(b"\x00" + line.tobytes() for line in np.ascontiguousarray(pixels))
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def confusion(probabilities: Floats, labels: Labels, *, cell: int = 16) -> Pixels:
    """Rows are the right classes, columns what the model said; the whiter, the larger the share of the row."""
    count = probabilities.shape[1]
    table = np.zeros((count, count))
    np.add.at(table, (labels, probabilities.argmax(axis=1)), 1)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    return _enlarged((shares * 255).astype(np.uint8), cell)


def digit_sheet(images: Floats, *, columns: int = 8, scale: int = 4) -> Pixels:
    """Digits side by side. images: float64 (n, 100), 0 to 1; the first columns × columns are drawn."""
    sheet = np.zeros((columns * (SIDE + 1), columns * (SIDE + 1)))
    for place, image in enumerate(images[: columns * columns]):
        top, left = place // columns * (SIDE + 1), place % columns * (SIDE + 1)
        sheet[top : top + SIDE, left : left + SIDE] = image.reshape(SIDE, SIDE)
    return _enlarged((sheet * 255).astype(np.uint8), scale)


def decision_map(model: Classifier, *, side: int = 200) -> Pixels:
    """What the model says at each point of the square from -1.1 to 1.1, the paler the less sure it is."""
    axis = np.linspace(-1.1, 1.1, side)
    points = np.stack(np.meshgrid(axis, axis[::-1]), axis=-1).reshape(-1, 2)
    probabilities = model.probabilities(points)
    colours = CLASS_COLOURS[probabilities.argmax(axis=1)]
    sureness = probabilities.max(axis=1, keepdims=True)
    picture: Pixels = (colours * sureness + 255 * (1 - sureness)).astype(np.uint8).reshape(side, side, 3)
    return picture


def _enlarged(pixels: Pixels, factor: int) -> Pixels:
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)
