"""Results of Label Studio that are about a whole object, into bodies: choices, texts, ratings and numbers.

Format: https://labelstud.io/tags/choices, textarea, rating and number. The way back is in `export.label_studio.results`.
"""

from __future__ import annotations

from typing import Any

from gonk_node.errors import InputFileError
from gonk_node.formats.label_studio.config import Control
from gonk_node.formats.sample import number
from gonk_node.state.strict_json import Json

STARS = 5  # of a rating whose config does not say

_UNREAD = {
    "taxonomy": "paths of a taxonomy have no place in gonk's schemas",
    "datetime": "dates have no schema of their own",
    "pairwise": "a comparison is of several parts of the task, and an object is one of them",
    "ranker": "a ranking is of several parts of the task, and an object is one of them",
}


def body_of_object(
    kind: str, from_name: Json, value: dict[str, Any], control: Control | None
) -> list[tuple[str, dict[str, Json]]]:
    """(schema, members) of each annotation that a result makes.

    Args:
        kind: the type of the result.
        from_name: of its tag.
        value: of the result.
        control: its tag in the labelling config, if that is known.

    Raises:
        InputFileError: it makes none, and why.
    """
    if kind == "choices":
        labels = value.get("choices")
        if not isinstance(labels, list) or not labels or not all(isinstance(label, str) for label in labels):
            raise InputFileError("its choices are no list of texts")
        if len(labels) == 1 and (control is None or not control.multiple):
            return [("classification", {"label": labels[0]})]
        return [("multi-label", {"labels": labels})]
    if kind == "textarea":
        texts = value.get("text")
        texts = [texts] if isinstance(texts, str) else texts
        if not isinstance(texts, list) or not texts:
            raise InputFileError("it has no text")
        return [("caption", {"text": text}) for text in texts]
    if kind == "rating":
        stars = _bound(control, "maxRating")
        scale: dict[str, Json] = {"min": 1, "max": STARS if stars is None else stars, "step": 1}
        return [("rating", _on_scale(kind, value, scale, from_name))]
    if kind == "number":
        scale = {name: _bound(control, name) for name in ("min", "max", "step")}
        if scale["min"] is None or scale["max"] is None:
            raise InputFileError("a number needs the min and max that the labelling config has for it")
        scale = {name: bound for name, bound in scale.items() if bound is not None and (bound > 0 or name != "step")}
        return [("rating", _on_scale(kind, value, scale, from_name))]
    raise InputFileError(_UNREAD.get(kind, f"results of type {kind[:40]!r} are not read"))


def _on_scale(kind: str, value: dict[str, Any], scale: dict[str, Json], from_name: Json) -> dict[str, Json]:
    found = number(value.get(kind))
    if found is None or not scale["min"] <= found <= scale["max"]:
        raise InputFileError(f"its value is no number from {scale['min']} to {scale['max']}")
    named = isinstance(from_name, str) and from_name not in ("", kind)  # a tag of such a name says not what is rated
    return {"value": found, **scale, **({"criterion": from_name} if named else {})}


def _bound(control: Control | None, name: str) -> int | float | None:
    try:
        return number(float(control.attributes[name])) if control is not None else None
    except (KeyError, ValueError):
        return None
