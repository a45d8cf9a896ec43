"""Label Studio's brush regions: what hostile ones cost, and what is refused."""

from __future__ import annotations

import tracemalloc

import pytest

from gonk_node.core.limits import LABEL_STUDIO_MASK_PIXELS_MAX
from gonk_node.errors import InputFileError
from gonk_node.formats.label_studio.brush import decode, encode


def packed(*fields: tuple[int, int]) -> list[int]:
    """Bytes of (bits, value) fields, filled up with 0."""
    bits = "".join(f"{value:0{width}b}" for width, value in fields)
    bits += "0" * (-len(bits) % 8)
    return list(int(bits, 2).to_bytes(len(bits) // 8, "big"))


WIDTHS = ((4, 2), (4, 3), (4, 7), (4, 15))
HEAD = ((5, 7), *WIDTHS)


def test_values_one_by_one_count_by_their_alpha() -> None:
    values = [(8, value) for pixel in ((9, 9, 9, 0), (0, 0, 0, 1)) for value in pixel]
    assert decode(packed((32, 8), *HEAD, (1, 0), (2, 0), (3, 7), *values), 2, 1) == [1, 1]
    pieces = [(1, 0), (2, 0), (3, 2), *values[:3], (1, 0), (2, 0), (3, 4), *values[3:]]  # cut inside of a pixel
    assert decode(packed((32, 8), *HEAD, *pieces), 2, 1) == [1, 1]


def test_rows_become_columns() -> None:
    upper = packed((32, 24), *HEAD, (1, 1), (2, 1), (4, 11), (8, 255), (1, 1), (2, 1), (4, 11), (8, 0))
    assert decode(upper, 3, 2) == [0, 1, 1, 1, 1, 1, 1]
    assert decode(encode([1, 2, 3], 3, 2), 3, 2) == [1, 2, 3]


@pytest.mark.parametrize(
    ("encoded", "what"),
    [
        (None, "no list of bytes"),
        ([], "no list of bytes"),
        ("AAAA", "no list of bytes"),
        ([0.0], "no list of bytes"),
        ([True, 2], "no list of bytes"),
        ([-1], "no list of bytes"),
        ([0, 0], "breaks off"),
        (packed((32, 8), *HEAD), "breaks off"),
        (packed((32, 8), *HEAD, (1, 0), (2, 0), (3, 7), (8, 1)), "breaks off"),
        (packed((32, 12), *HEAD, (1, 1), (2, 1), (4, 11), (8, 0)), "12 values, the image 8"),
        (packed((32, 2**32 - 1), *HEAD), "the image 8"),
        (packed((32, 8), (5, 15), *WIDTHS), "no bytes"),
        (packed((32, 8), *HEAD, (1, 1), (2, 3), (16, 2**16 - 1), (8, 1)), "more values"),
        ([*packed((32, 8), *HEAD, (1, 1), (2, 0), (3, 7), (8, 0)), 0, 1], "behind its end"),
    ],
)
def test_what_is_no_brush_region_is_refused(encoded: object, what: str) -> None:
    with pytest.raises(InputFileError, match=what):
        decode(encoded, 2, 1)


def test_a_few_bytes_allocate_no_more_than_the_image() -> None:
    runs = [(1, 1), (2, 3), (16, 2**16 - 1), (8, 255)] * 64  # a million pixels in 216 bytes
    encoded = packed((32, 4 * 2**20), *HEAD, *runs)
    tracemalloc.start()
    try:
        assert decode(encoded, 1024, 1024) == [0, 2**20]
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
        with pytest.raises(InputFileError, match="the image 4"):
            decode(encoded, 1, 1)
    finally:
        tracemalloc.stop()


def test_larger_images_and_masks_that_fit_into_no_annotation_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputFileError, match="up to 67,108,864 pixels"):
        decode([0], LABEL_STUDIO_MASK_PIXELS_MAX, 2)
    with pytest.raises(InputFileError, match="up to"):
        encode([2 * LABEL_STUDIO_MASK_PIXELS_MAX], LABEL_STUDIO_MASK_PIXELS_MAX, 2)
    stripes = packed((32, 4000), *HEAD, *[(1, 1), (2, 2), (8, 39), (8, 255), (1, 1), (2, 2), (8, 39), (8, 0)] * 50)
    assert len(decode(stripes, 10, 100)) == 1001
    monkeypatch.setattr("gonk_node.formats.label_studio.brush.IMPORTED_BODY_BYTES_MAX", 999)
    with pytest.raises(InputFileError, match="more runs than fit"):
        decode(stripes, 10, 100)
