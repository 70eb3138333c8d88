"""Every policy: a function that takes what was built and says what is wrong with it, a sentence for each."""

from collections.abc import Callable, Iterable

from tests.check.k8s.builds import Object
from tests.check.k8s.policies import (
    addresses,
    disruptions,
    monitoring,
    network,
    pods,
    probes,
    releases,
    rollouts,
    scaling,
    stores,
    streams,
)

type Policy = Callable[[tuple[Object, ...]], Iterable[str]]

EVERYWHERE: tuple[Policy, ...] = (
    pods.restricted,
    pods.named_writable_folders,
    pods.secrets_are_read_only,
    pods.own_account_without_token,
    pods.no_service_links,
    pods.resources,
    pods.memory_is_enough_for_what_is_in_memory,
    probes.apart,
    probes.readiness_asks_for_what_is_needed,
    probes.patient,
    probes.cheap,
    rollouts.strategies,
    rollouts.history_and_deadline,
    rollouts.grace,
    rollouts.drains_endpoints_only,
    rollouts.waits_for_migrations,
    rollouts.migrates_once,
    rollouts.spread,
    disruptions.every_role_has_one,
    disruptions.blocks_no_drain,
    releases.no_secret_in_clear,
    releases.references_exist,
    releases.secret_files_exist,
    releases.owner_logs_in_as_owner,
    releases.settings_roll_their_pods,
    releases.services_find_their_pods,
    releases.selectors_are_narrow,
    releases.public_name_agrees,
    releases.namespace_is_restricted,
    releases.tls_everywhere_or_nowhere,
    scaling.each_queue_has_its_worker,
    scaling.one_hand_on_the_number,
    scaling.scale_down_is_slow,
    scaling.keda_asks_what_counts,
    scaling.connections_suffice,
    monitoring.port_is_the_one_that_is_served,
    monitoring.has_room_to_count,
    monitoring.no_way_from_outside,
    monitoring.everybody_is_watched,
    monitoring.rules_ask_for_jobs_that_there_are,
    monitoring.exporter_is_there_for_the_rules,
    monitoring.asks_of_its_own_namespace,
    stores.owner_keeps_what_it_makes,
    stores.postgres_stops_in_time,
    stores.nodes_are_apart,
    streams.route_sets_no_end,
    streams.ingress_lets_streams_and_uploads_pass,
    addresses.exceptions_lie_within,
    network.default_deny,
    network.real_connections_pass,
    network.nothing_else_passes,
)
# the base names images without a version: an overlay says which
IN_OVERLAYS: tuple[Policy, ...] = (releases.one_version_of_each_image,)
IN_PRODUCTION: tuple[Policy, ...] = (releases.pinned_by_digest,)


def name_of(policy: Policy) -> str:
    """As tests call it."""
    return f"{policy.__module__.rpartition('.')[2]}.{policy.__name__}"
