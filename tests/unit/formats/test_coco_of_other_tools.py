"""pycocotools, COCO's own library, reads the files that are exported; its masks and ours are the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from gonk_node.formats import rle
from kit import formats

coco = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed (extra dev)")
mask_api = pytest.importorskip("pycocotools.mask")
numpy = pytest.importorskip("numpy")


def test_it_loads_what_is_exported_and_computes_the_same_areas(tmp_path: Path) -> None:
    square = {"outer": [[10, 10], [30, 10], [30, 20], [10, 20]]}
    bodies = [
        ("bounding-box", {"label": "a", "x": 1, "y": 2, "w": 3, "h": 4}),
        ("polygon", {"label": "b", "parts": [square]}),
        ("mask", {"label": "b", "size": [48, 64], "counts": rle.encode([100, 30, 2942])}),
        ("mask", {"label": "b", "size": [48, 64], "counts": [100, 30, 2942]}),
        ("keypoints", {"label": "c", "points": [{"name": "nose", "x": 3, "y": 4, "v": 2}], "box": _box()}),
        ("caption", {"text": "Cells."}),
    ]
    formats.export([formats.sample("a.png", bodies)], "coco", tmp_path / "out")
    instances = coco.COCO(str(tmp_path / "out/annotations/instances_default.json"))
    [image] = instances.loadImgs(instances.getImgIds())
    assert (image["file_name"], image["width"], image["height"]) == ("a.png", 64, 48)
    found = instances.loadAnns(instances.getAnnIds())
    assert sorted(each["area"] for each in found) == [12, 30, 30, 200]
    for each in found:
        if each["segmentation"]:
            assert int(mask_api.area(instances.annToRLE(each))) == each["area"]
            assert mask_api.toBbox(instances.annToRLE(each)).tolist() == each["bbox"]
    keypoints = coco.COCO(str(tmp_path / "out/annotations/person_keypoints_default.json"))
    [person] = keypoints.loadAnns(keypoints.getAnnIds())
    assert (person["keypoints"], person["num_keypoints"]) == ([3, 4, 2], 1)
    assert len(coco.COCO(str(tmp_path / "out/annotations/captions_default.json")).getAnnIds()) == 1


def _box() -> dict[str, int]:
    return {"x": 1, "y": 2, "w": 30, "h": 40}


@pytest.mark.parametrize("seed", range(40))
def test_its_masks_and_ours_are_the_same(seed: int) -> None:
    random = numpy.random.default_rng(seed)
    height, width = random.integers(1, 40, size=2)
    pixels = (random.random((height, width)) < random.random()).astype(numpy.uint8)
    theirs = mask_api.encode(numpy.asfortranarray(pixels))
    text = theirs["counts"].decode()
    runs = rle.decode(text)
    rle.check(runs, height, width)
    assert rle.encode(runs) == text
    assert rle.area(runs) == int(pixels.sum())
    box = rle.bounding_box(runs, int(height))
    assert (list(box) if box else [0, 0, 0, 0]) == mask_api.toBbox(theirs).tolist()
