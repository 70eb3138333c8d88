from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from warren.config import discovery


@pytest.fixture
def apps_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty src/apps, importable as `apps`."""
    folder = tmp_path / "apps"
    folder.mkdir()
    monkeypatch.setattr(discovery, "APPS_DIR", folder)
    monkeypatch.setattr("apps.__path__", [str(folder)])
    return folder


def _write(folder: Path, name: str, **modules: str) -> None:
    package = folder / name
    package.mkdir()
    for module, text in {"__init__": "", "apps": "", **modules}.items():
        (package / f"{module}.py").write_text(text)


def test_it_finds_an_app_and_mounts_its_urls_when_a_folder_is_added(apps_dir: Path) -> None:
    _write(apps_dir, "found_a", urls="urlpatterns = []")
    _write(apps_dir, "found_b")
    (apps_dir / "no_app").mkdir()

    assert discovery.installed_apps() == ["apps.found_a", "apps.found_b"]
    assert len(discovery.urlpatterns()) == 1


def test_it_fails_at_once_when_an_app_is_broken(apps_dir: Path) -> None:
    _write(apps_dir, "broken", urls="import nowhere_to_be_found")

    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        discovery.urlpatterns()


def test_it_merges_schedules_when_names_differ(apps_dir: Path) -> None:
    _write(apps_dir, "sched_a", schedule="SCHEDULE = {'one': {'task': 'a'}}")
    _write(apps_dir, "sched_b", schedule="SCHEDULE = {'two': {'task': 'b'}}")

    assert discovery.schedule() == {"one": {"task": "a"}, "two": {"task": "b"}}


def test_it_names_app_and_entry_when_two_schedules_clash(apps_dir: Path) -> None:
    _write(apps_dir, "clash_a", schedule="SCHEDULE = {'same': {'task': 'a'}}")
    _write(apps_dir, "clash_b", schedule="SCHEDULE = {'same': {'task': 'b'}}")

    with pytest.raises(ImproperlyConfigured, match=r"apps\.clash_b\.schedule names \['same'\] again"):
        discovery.schedule()
