"""`scripts/demo`: options, the temporary folder, and exit codes (0 as told, 1 not as told, 130 Ctrl-C)."""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

from demo_run import screen
from demo_run.material import read_material
from demo_run.person import DemoError
from demo_run.story import USUAL_PORT, Story

_SAMPLE = Path(__file__).parent.parent / "demo_data" / "bccd"
_OTHER_PORTS = range(20_000, 32_000)  # below those that systems give to outgoing connections
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_INTERRUPTED = 130


def main() -> int:
    """Run the demo; the exit code."""
    options = _options()
    for number in _SIGNALS:
        signal.signal(number, _interrupt)
    folder = Path(tempfile.mkdtemp(prefix="gonk-demo-"))
    began = time.monotonic()
    try:
        material = read_material(options.folder)
        with Story(material, folder, options.port or _free_port()) as story:
            story.tell()
        screen.say(f"That took {time.monotonic() - began:.0f} seconds.")
        return 0
    except DemoError as error:
        screen.complain(f"\nThe demo failed. {error}")
        return 1
    except KeyboardInterrupt:
        screen.complain("\nstopped")
        return _INTERRUPTED
    finally:
        if options.keep:
            print(f"The three nodes are in {folder}; to look around:\n    GONK_HOME={folder}/olga gonk status cells")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/demo", description="Three people, three nodes, one dataset.")
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=_SAMPLE,
        help="a folder with instances.json (COCO) and images/; without one, 24 images of blood cells",
    )
    parser.add_argument("--keep", action="store_true", help="leave the folder with the three nodes in place")
    parser.add_argument(
        "--port", type=int, help=f"the owner's port on loopback, if not {USUAL_PORT} or any that is free"
    )
    return parser.parse_args()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    for number in _SIGNALS:  # what ends the processes must not be interrupted itself
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _free_port() -> int:
    """The usual port where it is free, else some other."""
    for port in (USUAL_PORT, *random.sample(_OTHER_PORTS, 20)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise DemoError("no free port was found on 127.0.0.1; --port names one")


if __name__ == "__main__":
    sys.exit(main())
