"""Defects that policies/network.py must notice."""

from collections.abc import Callable
from typing import Any

from tests.check.k8s.breakages.cases import Cases
from tests.check.k8s.breakages.changes import of, of_deployment, settings, without
from tests.check.k8s.builds import Object
from tests.check.k8s.policies import network


def _policy_of(name: str) -> Any:
    return of("NetworkPolicy", name, lambda each: each["spec"].update(egress=[], ingress=[]))


def _more(rule: Object, direction: str = "egress") -> Callable[[Any], object]:
    return lambda each: each["spec"].setdefault(direction, []).append(rule)


CASES: Cases = (
    (network.default_deny, "dev", {"nobody denies": without("NetworkPolicy", "default-deny")}),
    (
        network.real_connections_pass,
        "dev",
        {
            "no names": without("NetworkPolicy", "dns"),
            "no way to Postgres": without("NetworkPolicy", "to-postgres"),
            "Postgres lets nobody in": _policy_of("postgres"),
            "RabbitMQ lets nobody in": _policy_of("rabbitmq"),
            "no way to its API": without("NetworkPolicy", "to-rabbitmq-management"),
            "nobody reaches web": _policy_of("web"),
            "no mail": _policy_of("worker-io"),
            "webhooks at another port": settings("warren", WEBHOOK_PORTS="443,9443"),
            "no figures": without("NetworkPolicy", "monitoring"),
            "a role without its label": of_deployment(
                "web", lambda each: each["spec"]["template"]["metadata"]["labels"].pop("postgres-client")
            ),
        },
    ),
    (
        network.real_connections_pass,
        "production",
        {
            "KEDA is blind": without("NetworkPolicy", "keda"),
            "RabbitMQ's nodes are apart": without("NetworkPolicy", "rabbitmq-cluster"),
            "Postgres' instances are apart": without("NetworkPolicy", "postgres-cnpg"),
        },
    ),
    (
        network.nothing_else_passes,
        "dev",
        {
            "beat to RabbitMQ": of_deployment(
                "beat",
                lambda each: each["spec"]["template"]["metadata"]["labels"].update({"rabbitmq-client": "true"}),
            ),
            "strangers to Postgres": of(
                "NetworkPolicy", "postgres", _more({"from": [{"namespaceSelector": {}}]}, "ingress")
            ),
            "the cloud's metadata": of(
                "NetworkPolicy",
                "worker-io",
                lambda each: each["spec"]["egress"][0]["to"][0]["ipBlock"]["except"].clear(),
            ),
            "web to the web": of("NetworkPolicy", "to-postgres", _more({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]})),
            "the gateway to web's figures": of(
                "NetworkPolicy", "web", lambda each: each["spec"]["ingress"][0]["ports"].append({"port": 9464})
            ),
            "strangers to Flower": of("NetworkPolicy", "flower", _more({}, "ingress")),
        },
    ),
)
