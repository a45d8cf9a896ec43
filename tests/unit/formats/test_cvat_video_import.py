"""CVAT for video: what a track becomes, what it is put on, and what is left out and told."""

from __future__ import annotations

import json
import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gonk_node.core.limits import IMPORTED_BODY_BYTES_MAX
from gonk_node.formats import IMPORTERS
from gonk_node.formats.sample import ImportedAnnotation, ImportedImage, Record
from kit import cvat, formats
from kit.cvat import VIDEO_TASK, Cvat, box, document, label, track


@pytest.fixture
def files(tmp_path: Path) -> Cvat:
    made = Cvat(tmp_path)
    made.add("clip.mp4")
    return made


def video(tracks: str, **options: Any) -> str:
    return document(tracks, **{"task": VIDEO_TASK, **options})


def at(frame: int, more: str = "", keyframe: int = 1, content: str = "", x: str = "1") -> str:
    said = f'frame="{frame}" keyframe="{keyframe}" outside="0" occluded="0" {more}'
    return box(said, (x, "2", "14.5", "7.25"), content)


def out(frame: int) -> str:
    return at(frame).replace('outside="0"', 'outside="1"')


def one(files: Cvat, shapes: str, **options: Any) -> dict[str, Any]:
    """The body of the only track."""
    [(schema, body)] = cvat.said(files.read(video(track(shapes), **options)))
    assert schema == "video-track"
    return body


BOX = {"box": {"x": 1, "y": 2, "w": 13.5, "h": 5.25}}


# --- tracks -------------------------------------------------------------------------------------------------


def test_a_track_is_its_keyframes_on_the_video(files: Cvat) -> None:
    shapes = at(0) + at(1, keyframe=0) + at(2).replace('occluded="0"', 'occluded="1"') + out(5)
    records = files.read(video(track(shapes, more=' group_id="2"')))
    [found] = (each for each in records if isinstance(each, ImportedImage))
    assert (found.name, found.media_type, found.width, found.height) == ("clip.mp4", "video/mp4", 640, 480)
    [(_, body)] = cvat.said(records)
    assert body["keyframes"] == [
        {"frame": 0, "shape": BOX},
        {"frame": 2, "shape": BOX, "occluded": True},
        {"frame": 5, "outside": True},
    ]
    assert (body["label"], body["interpolation"], "track" in body) == ("car", "linear", False)
    assert cvat.kept(records) == [
        {
            "track_id": 3,
            "source": "manual",
            "group_id": 2,
            "original_size": {"height": 480, "width": 640},
            "task": {"id": 5, "name": "street"},
        }
    ]


def test_a_shape_outside_that_differs_is_kept_since_it_moves_there(files: Cvat) -> None:
    moved = at(5, x="3").replace('outside="0"', 'outside="1"')
    assert one(files, at(0) + moved)["keyframes"][1]["shape"]["box"]["x"] == 3


def test_angles_go_the_shorter_way_as_they_do_in_cvat(files: Cvat) -> None:
    turned = [at(frame, f'rotation="{angle}"') for frame, angle in enumerate((350, "10.5", 200, 350))]
    angles = [each["shape"]["box"]["angle"] for each in one(files, "".join(turned) + at(9))["keyframes"]]
    assert angles == [-10, 10.5, -160, -10, 0]


def test_attributes_are_said_where_they_change(files: Cvat) -> None:
    red, blue = (f'<attribute name="colour">{colour}</attribute>' for colour in ("red", "blue"))
    shapes = at(0, content=red) + at(1, content=red) + at(2, 'z_order="1"', content=blue) + at(3)
    assert [each.get("attributes", {}).get("cvat") for each in one(files, shapes)["keyframes"]] == [
        {"attributes": {"colour": "red"}},
        None,
        {"attributes": {"colour": "blue"}, "z_order": 1},
        {},
    ]


@pytest.mark.parametrize(
    ("shape", "interpolation"),
    [
        ('<polygon frame="{}" points="0,0;5,0;5,5"/>', "linear"),
        ('<polyline frame="{}" points="0,0;5,0"/>', "linear"),
        ('<points frame="{}" points="1,2"/>', "linear"),
        ('<points frame="{}" points="1,2;3,4"/>', "none"),  # CVAT moves single points only
    ],
)
def test_other_shapes(files: Cvat, shape: str, interpolation: str) -> None:
    body = one(files, shape.format(0) + shape.format(4))
    kind = shape[1:].split()[0]
    assert [list(each["shape"]) for each in body["keyframes"]] == [[kind], [kind]]
    assert body["interpolation"] == interpolation


def test_that_outlines_move_otherwise_is_told_only_where_they_do(files: Cvat) -> None:
    told = "how CVAT moves outlines between keyframes: here each point moves evenly"
    here, there = (f'<polygon frame="{{}}" points="{x},0;5,0;5,5"/>' for x in "01")
    assert told in cvat.lost(files.read(video(track(here.format(0) + there.format(4)))))
    for shapes in (here.format(0) + there.format(1), here.format(0) + here.format(4)):
        assert told not in cvat.lost(files.read(video(track(shapes))))


def skeleton(frame: int, points: dict[str, str], flags: dict[str, str] | None = None, keyframe: int = 1) -> str:
    content = "".join(
        f'<points label="{name}" keyframe="{keyframe}" points="{place}" {(flags or {}).get(name, "")}/>'
        for name, place in points.items()
    )
    return f'<skeleton frame="{frame}" keyframe="{keyframe}">{content}</skeleton>'


def test_a_skeleton_is_points_in_the_order_of_its_label(files: Cvat) -> None:
    labels = label("cat") + "".join(label(name, "<parent>cat</parent>") for name in ("nose", "tail"))
    shapes = (
        skeleton(0, {"tail": "3,4", "nose": "1,2"})
        + skeleton(1, {"nose": "9,9"}, keyframe=0)
        + skeleton(2, {"nose": "5,6"}, {"nose": 'occluded="1"'})
        + skeleton(3, {"nose": "5,6", "tail": "3,4"}, {"nose": 'outside="1"', "tail": 'outside="1"'})
    )
    records = files.read(video(track(shapes, label="cat"), labels=labels))
    [(_, body)] = cvat.said(records)
    assert body["keyframes"] == [
        {"frame": 0, "shape": {"points": [[1, 2], [3, 4]]}},
        {"frame": 2, "shape": {"points": [[5, 6], [3, 4]]}, "attributes": {"cvat": {"visibility": [1, 2]}}},
        {"frame": 3, "outside": True, "attributes": {"cvat": {"visibility": [0, 0]}}},
    ]
    assert (body["interpolation"], body["attributes"]["cvat"]["elements"]) == ("linear", ["nose", "tail"])


def test_points_without_names_stand_still_also_where_their_label_has_a_skeleton(files: Cvat) -> None:
    labels = label("cat") + "".join(label(name, "<parent>cat</parent>") for name in ("nose", "tail"))
    shape = '<points frame="{}" points="1,2;3,4"/>'
    [(_, body)] = cvat.said(files.read(video(track(shape.format(0) + shape.format(5), label="cat"), labels=labels)))
    assert body["interpolation"] == "none"


def test_a_track_without_marks_has_a_keyframe_in_each_frame(files: Cvat) -> None:
    shapes = "".join(at(frame, keyframe=0) for frame in range(3))
    assert [each["frame"] for each in one(files, shapes)["keyframes"]] == [0, 1, 2]


def test_a_track_that_is_too_long_becomes_several_that_join(files: Cvat) -> None:
    count = IMPORTED_BODY_BYTES_MAX // 60
    red = '<attribute name="colour">red</attribute>'
    records = files.read(video(track("".join(at(frame, content=red, x=str(frame % 7)) for frame in range(count)))))
    assert cvat.problems(records) == []
    parts = [body for _, body in cvat.said(records)]
    assert len(parts) > 1
    assert {body["track"] for body in parts} == {3}
    for before, after in pairwise(parts):
        last, first = before["keyframes"][-1], after["keyframes"][0]
        assert (first["frame"], first["shape"]) == (last["frame"], last["shape"])
        assert first["attributes"] == {"cvat": {"attributes": {"colour": "red"}}}
    frames = [each["frame"] for body in parts for each in body["keyframes"]]
    assert sorted(set(frames)) == list(range(count))


@pytest.mark.parametrize(
    ("shapes", "what"),
    [
        ("", "has no frames; left out"),
        (at(3) + at(2), "its frames are in no order; left out"),
        (at(3) + at(3), "its frames are in no order; left out"),
        (at(-1), "has a shape without the number of a frame of its video; left out"),
        (box('keyframe="1"'), "has a shape without the number of a frame of its video; left out"),
        (at(0) + '<points frame="1" points="1,2"/>', "is a <box> and then a <points>; left out"),
        ('<ellipse frame="0"/>', "ellipses have no schema in gonk; left out"),
        ('<mask frame="0"/>', "masks in videos have no schema in gonk; left out"),
        ('<polygon frame="0" points="x"/>', "'x' is no point; left out"),
        ('<polygon frame="0" points="0,0;1,1"/>', "makes no video-track: /keyframes/0"),
        (skeleton(0, {"a": "1,2"}) + skeleton(1, {"b": "1,2"}), "the skeleton has a point 'b' that its label lacks"),
    ],
)
def test_what_makes_no_track_is_told(files: Cvat, shapes: str, what: str) -> None:
    records = files.read(video(track(shapes)))
    assert cvat.said(records) == []
    [problem] = cvat.problems(records)
    assert problem.startswith(f"line 5: <track>: {what}")


def test_equal_tracks_stay_apart_whatever_their_ids_are(files: Cvat) -> None:
    first = track(at(0))
    later = first.replace('id="3"', 'id="4"')
    keys = [
        [each.key for each in files.read(video(text)) if isinstance(each, ImportedAnnotation)]
        for text in (first + first, later + track(at(1)) + first)
    ]
    assert len({*keys[0], *keys[1]}) == 3


# --- what they are put on -----------------------------------------------------------------------------------


def names(records: list[Record]) -> list[tuple[str, bool]]:
    """(name, whether there is a file) of what is imported."""
    return [(each.name, each.path is not None) for each in records if isinstance(each, ImportedImage)]


def test_the_video_may_lie_beside_the_file(files: Cvat) -> None:
    (files.images / "clip.mp4").rename(files.folder / "clip.mp4")
    assert names(files.read(video(track(at(0))))) == [("clip.mp4", True)]
    assert names(files.without_images(video(track(at(0))))) == [("clip.mp4", True)]


def test_a_video_that_is_nowhere_is_an_object_of_the_dataset_where_there_is_no_folder(files: Cvat) -> None:
    (files.images / "clip.mp4").unlink()
    records = files.without_images(video(track(at(0))))
    assert names(records) == [("clip.mp4", False)]
    assert len(cvat.said(records)) == 1


def test_a_job_names_no_video_and_takes_the_only_one_or_that_of_its_name(files: Cvat) -> None:
    text = document(track(at(0)), task="<id>1</id>", kind="job")
    assert names(files.read(text)) == [("clip.mp4", True)]
    files.add("other.avi")
    assert cvat.problems(files.read(text)) == [
        "line 5: <track>: the file does not name its video, there is not exactly one beside it, and images of its frames "
        "(frame_000000.png, …) are missing; left out, with its track"
    ]
    files.add("annotations.webm")
    assert names(files.read(text)) == [("annotations.webm", True)]


def test_a_video_without_tracks_is_imported_too(files: Cvat) -> None:
    assert names(files.read(video(""))) == [("clip.mp4", True)]
    (files.images / "clip.mp4").unlink()
    [problem] = cvat.problems(files.read(video("")))
    assert problem.startswith("<source>: the video 'clip.mp4' and images")


def test_tracks_without_video_are_told_once(files: Cvat) -> None:
    (files.images / "clip.mp4").unlink()
    assert cvat.problems(files.read(video(track(at(0)) * 3))) == [
        "line 5: <track>: the video 'clip.mp4' and images of its frames (frame_000000.png, …) are missing; left out, with "
        "its 3 tracks"
    ]


def test_a_source_that_leads_elsewhere_is_refused(files: Cvat) -> None:
    records = files.read(video(track(at(0)), task=VIDEO_TASK.replace("clip", "../clip")))
    [problem] = cvat.problems(records)
    assert "leads out of the images folder; left out, with its track" in problem


def test_tracks_are_put_on_the_images_of_frames_where_there_is_no_video(files: Cvat) -> None:
    (files.images / "clip.mp4").unlink()
    for frame in (0, 1):
        files.add(f"frame_{frame:06}.PNG", formats.png(640, 480, salt=bytes([frame])))
    mask = '<mask frame="1" keyframe="1" rle="0,1" left="0" top="0" width="1" height="1"/>'
    records = files.read(video(track(at(0) + at(1, keyframe=0) + at(2) + out(3)) + track(mask)))
    assert names(records) == [("frame_000000.PNG", True), ("frame_000001.PNG", True)]
    found = [(each.image_name[6:12], each.schema) for each in records if isinstance(each, ImportedAnnotation)]
    assert found == [("000000", "bounding-box"), ("000001", "bounding-box"), ("000001", "mask")]
    first = json.loads(next(each.body for each in records if isinstance(each, ImportedAnnotation)))
    assert {name: first[name] for name in ("label", "x", "w")} == {"label": "car", "x": 1, "w": 13.5}
    assert first["attributes"]["cvat"] | {"task": None} == {
        "track_id": 3,
        "source": "manual",
        "image_id": 0,
        "task": None,
    }
    assert cvat.problems(records) == ["line 5: <track>: 1 of its shapes are in frames without an image; left out"]


def test_in_a_project_frames_are_counted_from_the_first_of_each_video(files: Cvat) -> None:
    files.add("b.mp4", b"other")
    tasks = "".join(
        f"<task><id>{number}</id><size>10</size><start_frame>5</start_frame><frame_filter>{step}</frame_filter>"
        f"<subset>{subset}</subset><source>{name}</source></task>"
        for number, name, subset, step in ((1, "clip.mp4", "train", "step=2"), (2, "b.mp4", "train", ""))
    )
    tracks = track(at(5), more=' task_id="1" subset="train"') + track(at(30), more=' task_id="2" subset="train"')
    records = files.read(document(tracks, task=f"<id>8</id><tasks>{tasks}</tasks>", kind="project"))
    frames = {
        each.image_name: json.loads(each.body)["keyframes"][0]["frame"]
        for each in records
        if isinstance(each, ImportedAnnotation)
    }
    assert frames == {"clip.mp4": 5, "b.mp4": 5}  # the second task is behind 5 + 2 * 10 frames


def test_frames_that_are_computed_take_no_memory(files: Cvat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "gonk_node.formats.strict_xml._PIECE_BYTES", 4096
    )  # what is read at a time, so that it is little
    held = []
    for count in (500, 5000):
        files.file.write_text(video(track(at(0) + "".join(at(frame, keyframe=0) for frame in range(1, count)))))
        tracemalloc.start()
        try:
            assert (
                sum(isinstance(each, ImportedAnnotation) for each in IMPORTERS["cvat"](files.file, files.images)) == 1
            )
            held.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert (held[1] - held[0]) / 4500 < 10, f"{held}"  # an element alone takes five hundred
