# The virtual environment of this checkout, for the scripts beside this file. Source it; it runs nothing by itself.
#
#   source "$(dirname "${BASH_SOURCE[0]}")/_env.sh"
#   use_environment runtime      # the package and what it needs          (scripts/demo)
#   use_environment dev          # and the tools for tests and checks     (scripts/test, scripts/bench)
#   use_other_tools              # other programs, for tests of what is exchanged with them; in an environment apart
#
# Afterwards $PYTHON is the environment's interpreter, its bin folder leads the PATH, and the working folder is
# the checkout. Installing is skipped while pyproject.toml, the interpreter and the checkout's place are the same.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
VENV="$ROOT/.venv"

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

# The first Python of 3.11 or newer; $PYTHON, where it is set, is the only candidate.
find_python() {
  local candidate
  for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      command -v "$candidate"
      return 0
    fi
  done
  die "gonk-node needs Python 3.11 or newer, and found none${PYTHON:+ in PYTHON=$PYTHON} (python3 here is:" \
    "$(python3 --version 2>&1 || true)). Install one, or name it: PYTHON=/path/to/python3.12 $0"
}

make_venv() {
  local python="$1"
  "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
    die "$python cannot make virtual environments. On Debian and Ubuntu: sudo apt install python3-venv"
  say "making a virtual environment in .venv ($("$python" --version 2>&1))"
  rm -rf "$VENV"
  "$python" -m venv "$VENV" || die "python -m venv failed; see above"
}

# What an installation depends on: a change of any of it installs anew.
fingerprint() {
  "$VENV/bin/python" - "$ROOT" <<'PY'
import hashlib, pathlib, sys
root = pathlib.Path(sys.argv[1])
print(hashlib.sha256(repr((sys.version, str(root), (root / "pyproject.toml").read_bytes())).encode()).hexdigest())
PY
}

use_environment() {
  local what="$1" wanted stamp target="."
  cd "$ROOT" || exit 1
  local base
  if ! "$VENV/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    base="$(find_python)" || exit 1
    make_venv "$base"
  fi
  wanted="$(fingerprint)"
  stamp="$VENV/installed-$what"
  if [ "$what" = runtime ] && [ "$(cat "$VENV/installed-dev" 2>/dev/null)" = "$wanted" ]; then
    stamp="$VENV/installed-dev" # dev holds runtime
  fi
  if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    [ "$what" = dev ] && target=".[dev]"
    say "installing gonk-node and what it needs into .venv (a minute the first time)"
    "$VENV/bin/python" -m pip install --disable-pip-version-check --no-input -qq --progress-bar off -e "$target" \
      </dev/null >&2 || die "pip install failed; see above. The network, or the package index that pip uses, may be away"
    printf '%s\n' "$wanted" >"$stamp"
  fi
  PYTHON="$VENV/bin/python"
  export PYTHON PATH="$VENV/bin:$PATH"
}

# Make .venv-other-tools as tests/other_tools/requirements.txt says, with the Python of .venv.
use_other_tools() {
  local venv="$ROOT/.venv-other-tools" list="$ROOT/tests/other_tools/requirements.txt" wanted
  wanted="$(cat "$list" && "$PYTHON" --version)"
  [ "$(cat "$venv/installed" 2>/dev/null)" = "$wanted" ] && return
  say "installing other programs into .venv-other-tools (a minute the first time)"
  rm -rf "$venv"
  "$PYTHON" -m venv "$venv" || die "python -m venv failed; see above"
  "$venv/bin/python" -m pip install --disable-pip-version-check --no-input -qq --progress-bar off -r "$list" </dev/null >&2 ||
    die "pip install failed; see above. The network, or the package index that pip uses, may be away"
  printf '%s\n' "$wanted" >"$venv/installed"
}
