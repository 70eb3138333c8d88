"""Defects that policies/streams.py must notice."""

import copy
from collections.abc import Callable
from typing import Any

from tests.check.k8s.breakages.cases import Cases
from tests.check.k8s.breakages.changes import of
from tests.check.k8s.builds import Object, combination
from tests.check.k8s.policies import streams


def _with_ingress(change: Callable[[Any], object]) -> Callable[[list[Object]], None]:
    """No overlay has an Ingress, so the component's is laid beside, and broken."""

    def lay(objects: list[Object]) -> None:
        objects.extend(copy.deepcopy([each for each in combination("ingress") if each["kind"] == "Ingress"]))
        of("Ingress", "web", lambda each: change(each["metadata"]["annotations"]))(objects)

    return lay


CASES: Cases = (
    (
        streams.route_sets_no_end,
        "production",
        {
            "ten seconds for an answer": of(
                "HTTPRoute", "web", lambda each: each["spec"]["rules"][0]["timeouts"].update(request="10s")
            ),
            "as the gateway likes": of("HTTPRoute", "web", lambda each: each["spec"]["rules"][0].pop("timeouts")),
            "ten seconds for web": of(
                "HTTPRoute", "web", lambda each: each["spec"]["rules"][0]["timeouts"].update(backendRequest="10s")
            ),
        },
    ),
    (
        streams.ingress_lets_streams_and_uploads_pass,
        "dev",
        {
            "silence ends": _with_ingress(
                lambda said: said.update({"nginx.ingress.kubernetes.io/proxy-read-timeout": "20"})
            ),
            "a balancer's own default": _with_ingress(
                lambda said: said.pop("alb.ingress.kubernetes.io/load-balancer-attributes")
            ),
            "small bodies": _with_ingress(lambda said: said.update({"nginx.org/client-max-body-size": "1m"})),
            "events in blocks": _with_ingress(lambda said: said.pop("nginx.org/proxy-buffering")),
            "no WebSocket": _with_ingress(lambda said: said.pop("nginx.org/websocket-services")),
        },
    ),
)
