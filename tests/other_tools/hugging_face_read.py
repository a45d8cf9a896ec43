"""hugging_face_read.py parquet|webdataset FILE CACHE: prints the columns that Hugging Face's datasets finds."""

from __future__ import annotations

import json
import sys

import datasets


def main() -> None:
    format_name, file, cache = sys.argv[1:]
    made = datasets.load_dataset(format_name, data_files={"train": file}, split="train", cache_dir=cache)
    if format_name == "parquet":
        rows = [{"name": row["name"], "annotations": row["annotations"], "bytes": len(row["content"])} for row in made]
    else:
        rows = [{"name": row["json"]["name"], "size": row["png"].size, "cls": row.get("cls")} for row in made]
    print(json.dumps({"columns": sorted(made.column_names), "rows": rows}))


if __name__ == "__main__":
    main()
