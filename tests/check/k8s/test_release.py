"""In which order `make k8s/release` asks and changes, by a kubectl that writes down what it is told."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.check.k8s import builds, reading
from tests.check.k8s.builds import K8S, ROOT

# JOB: the conditions that the migrate of before has, `none` if there was none. REFUSED: what the cluster says no to.
KUBECTL = r"""#!/bin/bash
[ "$1" = kustomize ] && exec kustomize build "$2"
echo "$*" >>"$CALLS"
case "$*" in
  *"$REFUSED"*) echo no >&2; exit 1 ;;
  *--dry-run=server*) cat >"$CALLS.asked" ;;
  *apply*) cat >"$CALLS.applied" ;;
  *"get job migrate --ignore-not-found"*) [ "$JOB" = none ] || echo job.batch/migrate ;;
  *"get job migrate"*) if grep -q apply.--filename "$CALLS"; then echo Complete; else echo "$JOB"; fi ;;
  *"get deployments"*) echo deployment.apps/web ;;
esac
"""
DRY_RUN = "apply --dry-run=server --output name --filename -"
DELETED = "delete job migrate --ignore-not-found --wait"
APPLIED = "apply --filename -"


class Released:
    """What a release did."""

    def __init__(self, folder: Path, *, overlay: str = "dev", job: str = "Complete", refused: str = "nothing") -> None:
        kubectl = folder / "kubectl"
        kubectl.write_text(KUBECTL)
        kubectl.chmod(0o755)
        self.calls_file = folder / "calls"
        self.calls_file.touch()
        self.answer = subprocess.run(
            [K8S / "host/release", f"k8s/overlays/{overlay}"],
            cwd=ROOT,
            env={
                "PATH": f"{folder}:/usr/local/bin:/usr/bin:/bin",
                "CALLS": str(self.calls_file),
                "JOB": job,
                "REFUSED": refused,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        return [call.removeprefix("--namespace warren ") for call in self.calls_file.read_text().splitlines()]

    def objects(self, suffix: str) -> tuple[builds.Object, ...]:
        """What was `asked` for, or `applied`."""
        return tuple(yaml.safe_load_all(self.calls_file.with_suffix(f".{suffix}").read_text()))


@pytest.mark.parametrize("job", ["none", "Complete", "FailureTarget Failed"])
def test_it_asks_for_all_before_it_changes_anything(tmp_path: Path, job: str) -> None:
    released = Released(tmp_path, job=job)

    assert released.answer.returncode == 0, released.answer.stderr
    changing = [call for call in released.calls if call in {DRY_RUN, DELETED, APPLIED}]
    assert changing == [DRY_RUN, DELETED, APPLIED]
    assert released.calls[-1].startswith("rollout status deployment.apps/web")


def test_it_asks_for_the_job_under_a_name_that_is_free(tmp_path: Path) -> None:
    released = Released(tmp_path)

    applied, asked = released.objects("applied"), released.objects("asked")
    assert applied == tuple(builds.overlay("dev"))
    assert len(asked) == len(applied)
    assert [reading.name_of(each) for each in reading.of_kind(asked, "Job")] == ["migrate-asked"]
    assert [each for each in asked if each["kind"] != "Job"] == [each for each in applied if each["kind"] != "Job"]


def test_a_release_that_the_cluster_refuses_leaves_the_last_migration_alone(tmp_path: Path) -> None:
    released = Released(tmp_path, refused="--dry-run=server")

    assert released.answer.returncode != 0
    assert DELETED not in released.calls
    assert APPLIED not in released.calls


@pytest.mark.parametrize("job", ["", "Suspended", "FailureTarget"])
def test_it_kills_no_migration_that_runs(tmp_path: Path, job: str) -> None:
    released = Released(tmp_path, job=job)

    assert released.answer.returncode == 1
    assert "still runs" in released.answer.stderr
    assert DELETED not in released.calls
    assert APPLIED not in released.calls


def test_it_changes_nothing_if_it_cannot_tell_whether_one_runs(tmp_path: Path) -> None:
    released = Released(tmp_path, refused="get job migrate --ignore-not-found")

    assert released.answer.returncode != 0
    assert len(released.calls) == 1


def test_it_releases_no_images_that_were_never_pinned(tmp_path: Path) -> None:
    released = Released(tmp_path, overlay="production")

    assert released.answer.returncode == 2
    assert "make k8s/pin" in released.answer.stderr
    assert released.calls == []
