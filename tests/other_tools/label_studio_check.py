"""label_studio_check.py CONFIG TASKS: prints what Label Studio's own library finds wrong in a config and in its tasks."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from label_studio_sdk.label_interface import LabelInterface


def main() -> None:
    config, tasks = (Path(argument).read_text(encoding="utf-8") for argument in sys.argv[1:])
    interface = LabelInterface(config)
    interface.validate()
    wrong: list[object] = []
    for task in json.loads(tasks):
        if not interface.validate_task({"data": task["data"]}):
            wrong.append(["data", task["data"]])
        for annotation in task["annotations"]:
            wrong += interface._validate_object(annotation, return_errors=True)
    controls = {control.name: [control.tag, control.labels] for control in interface.controls}
    print(json.dumps({"wrong": wrong, "controls": controls}))


if __name__ == "__main__":
    main()
