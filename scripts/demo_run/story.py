"""The story of the demo, act by act. What must have come of it is in `verdict`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from demo_run import screen
from demo_run.material import Box, Material
from demo_run.person import DemoError, Person
from demo_run.verdict import Expected, check_start, compare

USUAL_PORT = 7475
_PEER_UNAVAILABLE = 3
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REASON = "this box is the whole image"


class Story:
    """Olga (owner), Anna (annotator) and Sam (a stranger), from the first command to the common State."""

    def __init__(self, material: Material, folder: Path, port: int) -> None:
        self._material = material
        self._folder = folder
        self._port = port
        self._olga = Person("Olga", folder, port)
        self._anna = Person("Anna", folder, port)
        self._sam = Person("Sam", folder, port)
        self._everybody = (self._olga, self._anna, self._sam)
        self._link = ""
        self._anna_key = ""
        self._corrected: dict[str, dict[str, Any]] = {}  # annotation's uuid -> body that Anna proposes
        self._wrong: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for person in self._everybody:
            person.end()

    def tell(self) -> None:
        """All of it; DemoError as soon as something is not as it must be."""
        screen.say(
            f"""Three people build one dataset: Olga owns it, Anna annotates, and Sam is a stranger. Each has a node: a
            folder and processes of their own, here below {self._folder}. The nodes meet on 127.0.0.1 only. What each
            person types is shown as olga$, anna$ or sam$, with what it prints."""
        )
        if self._port != USUAL_PORT:
            screen.say(f"Port {USUAL_PORT} is taken here, so Olga has set GONK_PEER_PORT={self._port}.")
        self._olga_founds()
        self._others_clone()
        self._anna_works_offline()
        self._sam_proposes_nonsense()
        self._olga_decides()
        self._all_agree()

    # --- the acts ---------------------------------------------------------------------------------------

    def _olga_founds(self) -> None:
        screen.heading("1. Olga founds the dataset")
        olga, material = self._olga, self._material
        olga.gonk("init", "--name", "Olga")
        olga.gonk("dataset", "create", "cells", "--description", "Blood cells under the microscope")
        olga.gonk("schema", "add", "cells", "bounding-box")
        olga.gonk("import", "cells", "coco", str(material.instances))
        olga.gonk("review", "cells", "accept", "--all")
        status = olga.ask("status", "cells")
        check_start("Olga", status, material)
        screen.say(
            f"""Olga proposed {material.images:,} images with {material.boxes:,} boxes, and accepted them in one
            go. So far nobody else knows of them."""
        )

    def _others_clone(self) -> None:
        screen.heading("2. Anna and Sam clone it")
        self._anna.gonk("init", "--name", "Anna")
        self._anna_key = self._anna.ask("whoami")["author"]
        screen.say(
            f"Anna tells Olga her key, {self._anna_key[:8]}…; Olga lets her contribute, and opens her node to others."
        )
        self._olga.gonk("contributor", "add", "cells", self._anna_key, "--name", "Anna")
        self._olga.start_serving()
        self._link = self._olga.gonk("share", "cells").split()[0]
        self._anna.gonk("clone", self._link)
        self._sam.gonk("init", "--name", "Sam")
        self._sam.gonk("clone", self._link)
        for person in (self._anna, self._sam):
            check_start(person.name, person.ask("status", "cells"), self._material)
        self._sam.gonk("fsck")
        screen.say(
            """Both hold the whole history now. They did not take Olga's word for it: each node checked every signature and
            every byte of the images, and worked out for itself what counts."""
        )

    def _anna_works_offline(self) -> None:
        screen.heading("3. Olga's node goes away; Anna works on, offline")
        self._olga.stop_serving()
        anna, boxes = self._anna, self._material.to_correct
        anna.gonk("sync", "cells", code=_PEER_UNAVAILABLE)
        screen.say("Exit code 3: nobody is there to sync with. Annotating needs nobody:")
        for box in boxes:
            found = self._find(anna, box)
            change = {"truncated": True} if box.is_cut else {"difficult": True}
            body = found["body"] | change
            file = anna.write(f"corrected-{len(self._corrected) + 1}.json", body)
            screen.say(
                f"""{box.image}, the {box.label} at x {box.x:g}, y {box.y:g}: Anna writes {json.dumps(change)[1:-1]}
                into {file}."""
            )
            anna.gonk("annotate", "cells", box.image, "bounding-box", file, "--update", found["uuid"])
            self._corrected[found["uuid"]] = body
        screen.say(f"On {boxes[0].image} she also adds a box that was missing.")
        file = anna.write("added.json", {"label": boxes[0].label, "x": 12, "y": 8, "w": 64, "h": 60})
        anna.gonk("annotate", "cells", boxes[0].image, "bounding-box", file)
        pending = anna.ask("status", "cells")["counts"]["annotations"]["pending"]
        screen.say(f"On Anna's node, {pending} proposals wait for an owner. What was accepted is as before.")
        if pending != len(boxes) + 1:
            raise DemoError(f"{len(boxes) + 1} proposals of Anna should wait, not {pending}")

    def _sam_proposes_nonsense(self) -> None:
        screen.heading("4. Sam, whom nobody knows, proposes a wrong change to one of the same boxes")
        box = self._material.to_correct[0]
        found = self._find(self._sam, box)
        whole_image = {"x": 0, "y": 0, "w": self._material.width, "h": self._material.height}
        self._wrong = found["body"] | whole_image
        file = self._sam.write("wrong.json", self._wrong)
        self._sam.gonk("annotate", "cells", box.image, "bounding-box", file, "--update", found["uuid"])

    def _olga_decides(self) -> None:
        screen.heading("5. Olga is back; all sync, and she decides")
        self._olga.start_serving()
        self._anna.gonk("sync", "cells")
        self._sam.gonk("sync", "cells")
        self._olga.gonk("review", "cells", "list")
        strange = _UUID.findall(self._olga.gonk("review", "cells", "list", "--strangers"))[0]
        self._olga.gonk("show", "cells", strange)
        self._olga.gonk("review", "cells", "accept", "--author", self._anna_key)
        self._olga.gonk("review", "cells", "reject", "--all", "--strangers", "--comment", _REASON)
        screen.say("Each decision is an entry that Olga signed. Anna and Sam fetch them:")
        self._anna.gonk("sync", "cells")
        self._sam.gonk("sync", "cells")
        self._olga.stop_serving()

    def _all_agree(self) -> None:
        screen.heading("6. Do all three see the same?")
        expected = Expected(self._material, self._anna_key, self._corrected, self._wrong, _REASON)
        shown = next(iter(self._corrected))
        self._sam.gonk("show", "cells", shown)
        findings = [expected.check(person) for person in self._everybody]
        screen.table(
            ["", "role", "objects", "boxes", "waiting", "rejected", "corrected box", "State digest"],
            [each.row() for each in findings],
        )
        compare(findings)
        box = self._material.to_correct[0]
        screen.say(
            f"""Yes. Anna's {len(self._corrected)} corrections and her new box count on all three nodes. Sam's change is
            in the history, also on all three, as rejected by Olga ("{_REASON}"); the {box.label} of {box.image} is as
            Anna corrected it, for Sam too. The State digest, {findings[0].digest[:16]}…, is one hash over all that was
            decided: each node computed it from the signatures, and it is the same."""
        )

    def _find(self, person: Person, box: Box) -> dict[str, Any]:
        """The annotation that the COCO file's box became, as `person` sees it: uuid and body."""
        annotations: list[dict[str, Any]] = person.ask("show", "cells", box.image)["annotations"]
        for each in annotations:
            if each["current"] and box.is_body(each["body"]):
                return each
        raise DemoError(f"{person.name}: {box.image} lacks the accepted box {box}")
