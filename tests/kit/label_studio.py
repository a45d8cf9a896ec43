"""Projects of Label Studio as it exports them: tasks with results of every type that is read, and what comes back of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gonk_node.formats.label_studio import brush as label_studio_brush
from kit import formats

WIDTH, HEIGHT = 200, 100
SIZE = {"original_width": WIDTH, "original_height": HEIGHT, "image_rotation": 0}
BOX = {"x": 10, "y": 20, "width": 50, "height": 30, "rotation": 0}
PERSON = {"created_at": "2024-05-01T10:00:00.123456Z", "updated_at": "2024-05-02T11:00:00Z", "lead_time": 12.5}


def result(kind: str, value: Any, region: str = "r1", **more: Any) -> dict[str, Any]:
    """A result about an image."""
    tag = {"from_name": more.pop("from_name", f"{kind}-tag"), "to_name": more.pop("to_name", "img")}
    return {"id": region, "type": kind, "value": value, "origin": "manual", **tag, **SIZE, **more}


def whole(kind: str, value: Any, region: str, **more: Any) -> dict[str, Any]:
    """A result about a whole object, or one that has no size."""
    found = result(kind, value, region, **more)
    return {name: member for name, member in found.items() if name not in SIZE}


def said(number: int, *results: Any, **more: Any) -> dict[str, Any]:
    """An annotation."""
    fields = {"id": number, "completed_by": 3, "ground_truth": False, "was_cancelled": False, **PERSON, **more}
    return {**fields, "result": list(results)}


def write(folder: Path, *tasks: Any, config: str = "", files: dict[str, bytes] | None = None) -> Path:
    """A folder with these tasks; the picture a.png is there in any case."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for name, data in {"a.png": formats.png(WIDTH, HEIGHT), **(files or {})}.items():
        (folder / "images" / name).write_bytes(data)
    (folder / "tasks.json").write_text(json.dumps(tasks), encoding="utf-8")
    if config:
        (folder / "label_config.xml").write_text(config, encoding="utf-8")
    return folder


def tasks_of(folder: Path, name: str = "tasks.json") -> list[dict[str, Any]]:
    """The tasks in a folder."""
    found: list[dict[str, Any]] = json.loads((folder / name).read_text(encoding="utf-8"))
    return found


IMAGE_RESULTS = (
    result("rectanglelabels", {**BOX, "rectanglelabels": ["car"]}, "box", score=0.5),
    result("rectanglelabels", {**BOX, "rotation": 30, "rectanglelabels": ["car", "red"]}, "turned"),
    result(
        "polygonlabels", {"points": [[0, 0], [50, 0], [25, 33]], "closed": True, "polygonlabels": ["tree"]}, "outline"
    ),
    result("polygonlabels", {"points": [[0, 0], [50, 0]], "closed": False, "polygonlabels": ["lane"]}, "line"),
    result("rectanglelabels", {**BOX, "rectanglelabels": ["person"]}, "thing"),
    result("keypointlabels", {"x": 20, "y": 30, "width": 0.7, "keypointlabels": ["nose"]}, "nose", parentID="thing"),
    result("keypointlabels", {"x": 21, "y": 31, "width": 0.7, "keypointlabels": ["eye"]}, "eye", parentID="thing"),
    result("keypointlabels", {"x": 5, "y": 5, "width": 0.2, "keypointlabels": ["mark"]}, "alone"),
    result(
        "brushlabels",
        {
            "format": "rle",
            "rle": label_studio_brush.encode([500, 30, WIDTH * HEIGHT - 530], WIDTH, HEIGHT),
            "brushlabels": ["grass"],
        },
        "brush",
    ),
    result("rectanglelabels", {**BOX, "rectanglelabels": ["heading"]}, "written", from_name="lines"),
    result("textarea", {**BOX, "text": ["Hello"]}, "written", from_name="transcription"),
    result("choices", {**BOX, "choices": ["wet", "old"]}, "box", from_name="how"),
    whole("choices", {"choices": ["outdoors"]}, "where"),
    whole("choices", {"choices": ["sunny", "noisy"]}, "what", from_name="several"),
    whole("textarea", {"text": ["a street", "by day"]}, "words"),
    whole("rating", {"rating": 4}, "stars", from_name="quality"),
    {"type": "relation", "from_id": "box", "to_id": "outline", "direction": "right", "labels": ["under"]},
    {"type": "relation", "from_id": "turned", "to_id": "line", "direction": "left", "labels": ["on"]},
    {"type": "relation", "from_id": "thing", "to_id": "alone", "direction": "bi"},
)
"""Every type of result about an image that is read."""
