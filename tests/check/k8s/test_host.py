"""The scripts of k8s/host, as far as they need no cluster; `make k8s/verify` is the test of the rest."""

import subprocess
from functools import cache
from pathlib import Path

import pytest

from k8s.host import secrets_of_env
from tests.check.k8s import builds, schema_check, secrets_of_compose
from tests.check.k8s.builds import K8S, ROOT, Object
from tests.check.k8s.policies import network, pods
from tests.check.k8s.reading import name_of, named

STACK = (ROOT / "compose/stack.yaml").read_text()
OBSERVABILITY = (ROOT / "compose/observability.yaml").read_text()


@cache
def _proving() -> tuple[Object, ...]:
    return builds.of_folder(K8S / "verify")


def _dotenv() -> str:
    return (ROOT / ".env.example").read_text().replace("=generate", "=s3cr3t=with=signs")


def test_each_role_gets_the_secrets_that_it_has_in_compose() -> None:
    made = secrets_of_env.secrets(STACK, OBSERVABILITY, _dotenv(), namespace="warren")

    told = {str(name_of(each)): set(each["stringData"]) for each in made}  # type: ignore[call-overload]  # it is a dict
    assert told == {f"warren-{role}": names for role, names in secrets_of_compose.by_role().items()}


def test_a_secret_holds_what_dotenv_says() -> None:
    made = secrets_of_env.secrets(STACK, OBSERVABILITY, _dotenv(), namespace="warren")

    [worker] = [each for each in made if name_of(each) == "warren-worker"]
    assert worker["stringData"] == {
        "django_secret_key": "s3cr3t=with=signs",
        "postgres_password": "s3cr3t=with=signs",
        "broker_password": "s3cr3t=with=signs",
        "email_password": "",
        "webhook_secret": "s3cr3t=with=signs",
        "webhook_previous_secret": "",
        "otel_headers": "",
    }


@pytest.mark.parametrize("version", schema_check.VERSIONS)
def test_kubernetes_takes_the_secrets(version: str) -> None:
    made = secrets_of_env.secrets(STACK, OBSERVABILITY, _dotenv(), namespace="warren")

    assert [schema_check.complaint(each, version) for each in made] == [None] * len(made)


def test_it_says_what_to_do_when_dotenv_lacks_one() -> None:
    with pytest.raises(LookupError, match=r"DJANGO_SECRET_KEY is not in .env: run make env"):
        secrets_of_env.secrets(
            STACK, OBSERVABILITY, _dotenv().replace("DJANGO_SECRET_KEY", "OTHER"), namespace="warren"
        )


def test_an_env_of_before_there_was_monitoring_will_do() -> None:
    older = _dotenv().replace("POSTGRES_EXPORTER_PASSWORD", "OTHER")

    made = secrets_of_env.secrets(STACK, OBSERVABILITY, older, namespace="warren")

    [migrate] = [each for each in made if name_of(each) == "warren-migrate"]
    assert not migrate["stringData"]["postgres_exporter_password"]  # type: ignore[index]  # it is a dict


def test_the_overlay_that_proves_it_is_the_development_one_and_a_ledger() -> None:
    proving, dev = _proving(), builds.overlay("dev")
    names = {(each["kind"], name_of(each)) for each in proving} - {(each["kind"], name_of(each)) for each in dev}

    assert {kind for kind, _ in names} == {"ConfigMap", "Namespace", "NetworkPolicy", "Pod", "ServiceAccount"}
    assert {each["metadata"].get("namespace", "warren-verify") for each in proving} == {"warren-verify"}


@pytest.mark.parametrize("version", schema_check.VERSIONS)
def test_kubernetes_takes_the_ledger(version: str) -> None:
    for thing in _proving():
        assert schema_check.complaint(thing, version) is None


def test_the_ledger_is_restricted_and_reaches_web() -> None:
    objects = _proving()
    pod = named(objects, "Pod", "ledger")
    assert pod is not None

    as_job = {"kind": "Job", "metadata": pod["metadata"], "spec": {"template": {**pod}}}
    ledger, web = network._pods((as_job,))["ledger"], network._pods(objects)["web"]

    assert list(pods.restricted((as_job,))) == []
    assert list(pods.no_service_links((as_job,))) == []
    assert network._passes(objects, ledger, web, 8000)
    assert not network._passes(objects, ledger, network._pods(objects)["postgres"], 5432)


def test_it_leaves_a_cluster_alone_that_is_not_on_this_machine(tmp_path: Path) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text("#!/bin/sh\necho production.example.com\n")
    kubectl.chmod(0o755)

    answer = subprocess.run(
        [K8S / "host/load"], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )

    assert answer.returncode == 2
    assert "production.example.com" in answer.stderr
