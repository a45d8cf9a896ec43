"""cff_check.py FILE: prints what check-jsonschema says of a CITATION.cff by the schema of that format, in JSON: ""."""

from __future__ import annotations

import json
import sys

from check_jsonschema import main as check
from click.testing import CliRunner


def main() -> None:
    (path,) = sys.argv[1:]
    result = CliRunner().invoke(check, ["--builtin-schema", "vendor.citation-file-format", path])
    print(json.dumps("" if result.exit_code == 0 else result.output))


if __name__ == "__main__":
    main()
