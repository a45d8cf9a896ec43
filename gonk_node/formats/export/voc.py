"""Pascal VOC out: `Annotations/NAME.xml` for each image, their names in `ImageSets`, and the images in `JPEGImages`.

Format: the VOC2012 development kit, section 4. A box is given by its first and last pixel, counted from 1, as `formats.voc`
reads it. Objects come in the order that they had in the file that they are from.
"""

from __future__ import annotations

from typing import Any

from gonk_node.core.plural import with_its
from gonk_node.formats.decimals import EXACT, exact, plain
from gonk_node.formats.export.job import (
    Job,
    Sample,
    annotation_place,
    image_size,
    kept,
    tell_other_attributes,
    typed_body,
    write_image,
)
from gonk_node.formats.export.numbering import Labels, kept_id
from gonk_node.formats.export.xml_lines import escaped, fits
from gonk_node.formats.safe_names import Names, flat, split_extension

_FORMAT = "voc"
_IMAGES = "JPEGImages/"
_IMAGE_SET = "ImageSets/Main/trainval.txt"
_FLAGS = ("truncated", "difficult", "occluded")
_LOST = {"score": "the score of boxes", "iscrowd": "iscrowd of boxes"}


def write(job: Job) -> None:
    """Write VOC files; see `job.Exporter`."""
    names = Names(key=_stem)
    labels = Labels(job.labels_of(["bounding-box"])).names()
    for sample in job.samples():
        if _is_image(sample):
            names.add(sample.name)
    image_set = job.folder.create(_IMAGE_SET)
    for sample in job.samples():
        if not _is_image(sample):
            what = f"is {sample.media_type[:60]}, no image; left out{with_its(len(sample.annotations), 'annotation')}"
            job.loss.left_out(sample.place, what)
            continue
        name = names.path(sample.name, sample.uuid)
        if name != sample.name:
            job.loss.not_carried(sample.place, "names that are no safe or unique file names; they were changed")
        document = _document(job, sample, name, labels).encode()
        job.folder.write(f"Annotations/{_stem(name)}.xml", document, part_of="Annotations")
        image_set.write(f"{_stem(name)}\n".encode())
        write_image(job, sample, _IMAGES + name)
    image_set.close()


def _is_image(sample: Sample) -> bool:
    return sample.media_type.startswith("image/")


def _stem(path: str) -> str:
    """The name of the XML file without its end: all of them are in one folder."""
    return flat(split_extension(path)[0])


def _document(job: Job, sample: Sample, name: str, labels: dict[str, str]) -> str:
    size = image_size(sample)
    lines = ["<annotation>", "\t<folder>JPEGImages</folder>", f"\t<filename>{escaped(name)}</filename>"]
    if size is None:
        job.loss.not_carried(sample.place, "width and height, which cannot be read from the image file")
    else:
        sides = {"width": size.width, "height": size.height} | ({"depth": size.channels} if size.channels else {})
        lines += ["\t<size>", *(f"\t\t<{side}>{value}</{side}>" for side, value in sides.items()), "\t</size>"]
    lines.append("\t<segmented>0</segmented>")
    for body in _boxes(job, sample, labels):
        lines += _object(body, labels.get(body["label"], body["label"]))
    return "\n".join([*lines, "</annotation>", ""])


def _boxes(job: Job, sample: Sample, labels: dict[str, str]) -> list[dict[str, Any]]:
    found: list[tuple[tuple[str, int, bytes], dict[str, Any]]] = []
    for annotation in sample.annotations:
        if annotation.schema != "bounding-box":
            job.loss.not_carried(sample.place, f"annotations of {annotation.schema[:60]}")
            continue
        body = typed_body(annotation, sample, job)
        if body is None:
            continue
        place = annotation_place(annotation, sample)
        tell_other_attributes(body, place, _FORMAT, job.loss)
        for member, what in _LOST.items():
            if body.get(member):
                job.loss.not_carried(place, what)
        if body["w"] <= 1 or body["h"] <= 1:
            job.loss.not_carried(place, "boxes of one pixel: readers take them for degenerate, gonk too")
        name: str = labels.get(body["label"], str(body["label"]))
        if not fits(name) or name.strip() != name:
            job.loss.not_carried(place, "characters that no XML can hold, in labels, and blanks around them")
        source = kept(body, _FORMAT)
        position = kept_id(source.get("object"))
        file = source.get("file") if position is not None else None
        order = (file if isinstance(file, str) else "\U0010ffff", position or 0, annotation.uuid)  # new ones last
        found.append((order, body))
    return [body for _, body in sorted(found, key=lambda each: each[0])]


def _object(body: dict[str, Any], name: str) -> list[str]:
    x, y, w, h = (exact(body[name]) for name in "xywh")
    corners = {"xmin": EXACT.add(x, 1), "ymin": EXACT.add(y, 1), "xmax": EXACT.add(x, w), "ymax": EXACT.add(y, h)}
    flags = [f"\t\t<{flag}>{int(body[flag])}</{flag}>" for flag in _FLAGS if flag in body]
    return [
        "\t<object>",
        f"\t\t<name>{escaped(name)}</name>",
        f"\t\t<pose>{escaped(body.get('pose', 'Unspecified'))}</pose>",
        *flags,
        "\t\t<bndbox>",
        *(f"\t\t\t<{corner}>{plain(value)}</{corner}>" for corner, value in corners.items()),
        "\t\t</bndbox>",
        "\t</object>",
    ]
