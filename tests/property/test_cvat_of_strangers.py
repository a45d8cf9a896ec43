"""Whatever stands in a CVAT file or in what an import kept: it is read or written, or told, and nothing breaks."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from hypothesis import given, settings
from hypothesis import strategies as st

from gonk_node.formats.sample import ImportedAnnotation, ImportedImage, shipped_validator
from gonk_node.formats.strict_xml import parse
from gonk_node.state.conformance import Conformance
from kit import cvat, formats
from kit.cvat import VIDEO_TASK, document

TAGS = [
    "box",
    "polygon",
    "polyline",
    "points",
    "mask",
    "skeleton",
    "tag",
    "ellipse",
    "cuboid",
    "image",
    "attribute",
    "x",
]
NAMES = [
    "id",
    "name",
    "label",
    "frame",
    "keyframe",
    "outside",
    "occluded",
    "xtl",
    "ytl",
    "xbr",
    "ybr",
    "points",
    "rotation",
    "rle",
    "left",
    "top",
    "width",
    "height",
]
NAMES += ["source", "group_id", "z_order", "task_id", "subset", "data"]
WORDS = [
    "",
    "0",
    "1",
    "-1",
    "7",
    "1e308",
    "nan",
    "1e-400",
    "9" * 16,
    "a.png",
    "..",
    "1,2",
    "1,2;3,4;5,6",
    "0,1",
    "0, 4",
    "3",
    "é",
]

words = st.sampled_from(WORDS) | st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn")), max_size=5
)
attributes = st.dictionaries(st.sampled_from(NAMES), words, max_size=9)


def written(tag: str, said: dict[str, str], content: str) -> str:
    return f"<{tag} {' '.join(f'{name}={quoteattr(value)}' for name, value in said.items())}>{content}</{tag}>"


leaves = st.builds(written, st.sampled_from(TAGS), attributes, st.sampled_from(["", "text"]))
shapes = st.builds(written, st.sampled_from(TAGS), attributes, st.lists(leaves, max_size=3).map("".join))
tops = st.builds(
    written,
    st.sampled_from(["image", "track", "meta", "version2"]),
    attributes,
    st.lists(shapes, max_size=4).map("".join),
)
metas = st.recursive(
    words.map(lambda word: f"<name>{escape(word)}</name>"),
    lambda inner: st.builds(
        lambda tag, content: f"<{tag}>{content}</{tag}>",
        st.sampled_from(
            [
                "task",
                "job",
                "project",
                "tasks",
                "labels",
                "label",
                "attributes",
                "attribute",
                "svg",
                "parent",
                "owner",
                "username",
                "size",
            ]
        ),
        st.lists(inner, max_size=3).map("".join),
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=200)
@given(st.lists(tops, max_size=4), metas, st.booleans())
def test_whatever_a_file_says_is_read_or_told(contents: list[str], meta: str, of_video: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = cvat.Cvat(Path(folder))
        files.add("clip.mp4")
        files.add("frame_000007.png", formats.png(8, 8))
        options = {"task": VIDEO_TASK} if of_video else {"task": meta}
        names = set()
        for record in files.read(document("".join(contents), **options)):
            if isinstance(record, ImportedImage):
                names.add(record.name)
            elif isinstance(record, ImportedAnnotation):
                assert record.image_name in names
                assert shipped_validator(record.schema).verdict(record.body) is Conformance.VALID


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
kept = st.dictionaries(
    st.sampled_from(
        [
            "attributes",
            "elements",
            "source",
            "z_order",
            "group_id",
            "image_id",
            "task",
            "job",
            "subset",
            "track_id",
            "visibility",
        ]
    )
    | st.sampled_from(["original_size", "project", "type", "svg", "points"]),
    json_values
    | st.dictionaries(st.sampled_from(["id", "name", "owner", "width", "height", "a"]), json_values, max_size=3),
    max_size=5,
)
said = st.fixed_dictionaries({"cvat": kept | st.none()}, optional={"more": st.text(max_size=3)})
KEYFRAMES: list[dict[str, Any]] = [
    {"frame": 0, "shape": {"points": [[1, 2], [3, 4]]}},
    {"frame": 4, "outside": True},
    {"frame": 2, "shape": {"box": {"x": 1, "y": 2, "w": 3, "h": 4, "angle": -360}}},
]


@settings(deadline=None, max_examples=100)
@given(
    st.lists(said, min_size=6, max_size=6),
    st.text(min_size=1, max_size=4),
    st.lists(st.sampled_from(KEYFRAMES), min_size=1),
)
def test_whatever_an_import_kept_something_well_formed_is_written(
    kept: list[dict[str, Any]], label: str, keyframes: list[dict[str, Any]]
) -> None:
    track = {"label": label, "interpolation": "none", "track": 1, "attributes": kept[0]}
    bodies: formats.Bodies = [
        ("bounding-box", {"label": label, "x": 1, "y": 2, "w": 3, "h": 4, "attributes": kept[2]}),
        ("classification", {"labels": [label, "b"], "attributes": kept[3]}),
        (
            "keypoints",
            {"label": label, "points": [{"name": "0", "v": 0}, {"name": label, "v": 0}], "attributes": kept[4]},
        ),
    ]
    tracks: formats.Bodies = [
        ("video-track", {**track, "keyframes": [{**each, "attributes": kept[1]} for each in keyframes]}),
        ("video-track", {**track, "keyframes": keyframes, "attributes": kept[5]}),
    ]
    samples = [
        formats.sample("a.png", bodies),
        formats.sample("b.mp4", tracks, data=b"video", media_type="video/mp4"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        formats.export(samples, "cvat", out)
        for file in ("annotations.xml", "tracks/b.mp4.xml"):
            parse((out / file).read_bytes())
        assert formats.read("cvat", out, out / "images")
