"""`python -m gonk_node`: the `gonk` command, for where scripts are not on the PATH. Holds no logic."""

from __future__ import annotations

import sys

from gonk_node.cli import main

if __name__ == "__main__":
    sys.exit(main())
