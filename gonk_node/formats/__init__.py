"""Other people's files: one module a format, and the table of the formats.

Modules here read the files they are given; they write nothing and know no dataset.
"""

from __future__ import annotations

from gonk_node.formats import coco, voc
from gonk_node.formats.sample import Importer

IMPORTERS: dict[str, Importer] = {
    "coco": coco.read,
    "voc": voc.read,
}
