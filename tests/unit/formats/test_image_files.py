"""Media types from first bytes, and the usual places of images."""

from pathlib import Path

import pytest

from gonk_node.errors import InputFileError
from gonk_node.formats.images import find, folder_beside, media_type


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xdb", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"BM" + bytes(12) + b"\x28\0\0\0", "image/bmp"),
        (b"II*\x00", "image/tiff"),
        (b"MM\x00*", "image/tiff"),
        (b"\x00\x00\x00\x1cftypavif", "image/avif"),
        (bytes(128) + b"DICM", "application/dicom"),
    ],
)
def test_the_first_bytes_decide_the_media_type_whatever_the_name(tmp_path: Path, head: bytes, expected: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(head + bytes(50))
    assert media_type("a.txt", path) == expected


def test_a_text_that_begins_as_a_bitmap_does_is_a_text(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes(b"BMI: 24, as it was last year")
    assert media_type("note.txt", path) == "text/plain"


def test_unknown_bytes_go_by_the_name(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"hello")
    assert media_type("a.csv", path) == "text/csv"
    assert media_type("a.nonsense", path) == "application/octet-stream"
    assert media_type("a.png", None) == "image/png"


@pytest.mark.parametrize(
    ("name", "expected"), [("a.csv.gz", "application/gzip"), ("a.csv.bz2", "application/octet-stream")]
)
def test_what_is_packed_is_not_what_is_in_it(name: str, expected: str) -> None:
    assert media_type(name, None) == expected


def test_a_folder_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(InputFileError, match="is no file"):
        find(tmp_path, "a.png")


def test_an_images_folder_that_is_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.png").write_bytes(b"")
    (tmp_path / "images").symlink_to(tmp_path / "real")
    assert find(tmp_path / "images", "a.png") == (tmp_path / "real" / "a.png").resolve()


def test_the_images_folder_is_found_in_its_usual_places(tmp_path: Path) -> None:
    annotations = tmp_path / "Annotations"
    annotations.mkdir()
    file = annotations / "instances.json"
    file.write_text("{}")
    assert folder_beside(file) is None
    (tmp_path / "JPEGImages").mkdir()
    assert folder_beside(file) == folder_beside(annotations) == tmp_path / "JPEGImages"
    (annotations / "images").mkdir()
    assert folder_beside(file) == folder_beside(annotations) == annotations / "images"
