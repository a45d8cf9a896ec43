"""The files that a CVAT file is about: images, videos, and the images of a video's frames.

CVAT writes a name for each image, the file name of a task's video (but not of a job's), and frames of a video as images that
are called `frame_000123`, in a format that it does not say.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from gonk_node.errors import InputFileError
from gonk_node.formats.image_size import read_size
from gonk_node.formats.images import check_name, find

_FRAME_ENDS = (".PNG", ".png", ".jpg", ".jpeg", ".JPG", ".JPEG")
_VIDEO_ENDS = (".3gp", ".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".ts", ".webm", ".wmv")


class Medium(NamedTuple):
    """A file: what it is called in the source, and where it is; None where annotations are put on the object of that name."""

    name: str
    path: Path | None

    def size(self) -> tuple[int, int] | None:
        """Height and width of an image in pixels, from the first bytes of its file; None if they are not to be had."""
        if self.path is None:
            return None
        try:
            with self.path.open("rb") as file:
                found = read_size(file)
        except OSError:
            return None
        return None if found is None else (found.height, found.width)


class Media:
    """Finds them.

    Args:
        file: the CVAT file.
        images: the folder with the images, None if there is none.
    """

    def __init__(self, file: Path, images: Path | None) -> None:
        self._file = file
        self._images = images
        self._frames: dict[tuple[str, int], Medium] = {}

    def image(self, name: object, subset: str) -> Medium:
        """An image by its name in the file. In the files of a project it is in a folder for its subset.

        Raises:
            InputFileError: it cannot be used, or is not there.
        """
        name = check_name(name)
        if self._images is None:
            return Medium(name, None)
        places = [check_name(f"{subset}/{name}"), name] if subset else [name]
        ends = ("", *_FRAME_ENDS) if name.rpartition("/")[2].startswith("frame_") else ("",)
        for place in places:
            for end in ends:
                if (path := _found(self._images, place + end)) is not None:
                    return Medium(name + end, path)
        return Medium(name, find(self._images, name))  # which says what is wrong

    def video(self, source: str) -> Medium | None:
        """A video by its file name, in the folder of images or beside the CVAT file; None if it is not there.

        Without a name it is the one that is called as the file is, or the only one there.

        Raises:
            InputFileError: the name cannot be used, or a folder cannot be read.
        """
        folders = [folder for folder in (self._images, self._file.parent) if folder is not None]
        if not source:
            return next((found for found in map(self._nameless, folders) if found is not None), None)
        name = check_name(source)
        for folder in folders:
            if (path := _found(folder, name)) is not None:
                return Medium(name, path)
        return Medium(name, None) if self._images is None else None

    def frame(self, number: int, subset: str) -> Medium | None:
        """The image of a video's frame, by its number in the file; None if it is not there."""
        if self._images is None:
            return None
        key = (subset, number)
        if key not in self._frames:
            try:
                self._frames[key] = self.image(f"frame_{number:06}", subset)
            except InputFileError:
                return None
        return self._frames[key]

    def _nameless(self, folder: Path) -> Medium | None:
        try:
            names = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in _VIDEO_ENDS)
        except OSError as error:
            raise InputFileError(f"cannot be read: {error.strerror}", where=str(folder)) from error
        alike = [name for name in names if self._file.stem in (name, Path(name).stem)]
        found = alike if len(alike) == 1 else names
        return Medium(check_name(found[0]), find(folder, found[0])) if len(found) == 1 else None


def _found(folder: Path, name: str) -> Path | None:
    try:
        return find(folder, name)
    except InputFileError:
        return None
