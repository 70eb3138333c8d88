"""What kustomize makes of k8s/: the overlays, and the base with any components, each built once for all tests."""

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
K8S = ROOT / "k8s"

# A Kubernetes object, as YAML has it.
Object = dict[str, Any]

OVERLAYS = tuple(sorted(path.name for path in (K8S / "overlays").iterdir() if path.is_dir()))
COMPONENTS = tuple(sorted(path.name for path in (K8S / "components").iterdir() if path.is_dir()))


class BuildError(Exception):
    """Kustomize refused; its words are the message."""


@cache
def overlay(name: str) -> tuple[Object, ...]:
    """The objects of an overlay. They are shared: copy before you change one."""
    return of_folder(K8S / "overlays" / name)


@cache
def combination(*components: str) -> tuple[Object, ...]:
    """The objects of the base with these components, in their order; shared too."""
    with tempfile.TemporaryDirectory() as folder:
        # kustomize takes folders outside of its own by relative paths alone
        k8s = Path(os.path.relpath(K8S, Path(folder).resolve()))
        kustomization = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [str(k8s / "base")],
            "components": [str(k8s / "components" / component) for component in components],
        }
        (Path(folder) / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        return of_folder(Path(folder))


def copy(root: Path) -> Path:
    """A copy of k8s/, to change; where it is."""
    return shutil.copytree(K8S, root / "k8s")


def of_folder(folder: Path) -> tuple[Object, ...]:
    """The objects of any kustomization, built anew. Raises `BuildError`, for a warning too."""
    answer = subprocess.run(["kustomize", "build", folder], capture_output=True, text=True, check=False)
    if answer.returncode or answer.stderr:
        raise BuildError(answer.stderr)
    return tuple(yaml.load_all(answer.stdout, _Loader))


# libyaml's, which is ten times as fast; not in every build of PyYAML
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
