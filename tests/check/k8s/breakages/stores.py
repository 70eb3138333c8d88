"""Defects that policies/stores.py must notice."""

from tests.check.k8s.breakages.cases import Cases
from tests.check.k8s.breakages.changes import of
from tests.check.k8s.policies import stores

CASES: Cases = (
    (
        stores.owner_keeps_what_it_makes,
        "production",
        {
            "an owner who makes nothing": of(
                "Cluster", "postgres", lambda each: each["spec"]["bootstrap"]["initdb"].pop("postInitSQL")
            ),
            "an owner whom the operator manages": of(
                "Cluster",
                "postgres",
                lambda each: each["spec"].update(managed={"roles": [{"name": "warren", "createrole": True}]}),
            ),
        },
    ),
    (
        stores.postgres_stops_in_time,
        "production",
        {
            "waits for clients as long as is usual": of(
                "Cluster", "postgres", lambda each: each["spec"].pop("smartShutdownTimeout")
            ),
        },
    ),
)
