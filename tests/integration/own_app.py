"""An app of one's own, made by the command that users run."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
NEEDED = ("compose/host", "src/apps/arithmetic")


def make(folder: Path, *, name: str) -> Path:
    """Run what `make app name=…` runs, on a copy of the tree; returns the new app's directory."""
    clone = folder / "clone"
    for part in NEEDED:
        shutil.copytree(ROOT / part, clone / part)
    subprocess.run([clone / "compose/host/new-app", name], check=True)
    return clone / "src/apps" / name
