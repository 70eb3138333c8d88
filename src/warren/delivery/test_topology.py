from warren.delivery import topology


def test_it_bounds_deliveries_and_names_a_dead_letter_queue_when_a_queue_is_declared() -> None:
    spec = topology.QueueSpec(name="billing", worker="cpu", purpose="invoices", delivery_limit=3)

    declared = topology.declarations([spec])

    assert declared.keys() == {"billing", topology.DEAD_LETTER_QUEUE}
    assert declared["billing"]["x-queue-type"] == "quorum"
    assert declared["billing"]["x-delivery-limit"] == 3
    assert declared["billing"]["x-dead-letter-routing-key"] == topology.DEAD_LETTER_QUEUE
    assert declared["billing"]["x-overflow"] == "reject-publish"


def test_it_never_lets_a_client_declare_when_celery_uses_the_queue() -> None:
    queue = topology.QueueSpec(name="billing", worker="cpu", purpose="invoices").for_celery()

    assert queue.no_declare  # type: ignore[attr-defined]  # celery-types leaves it out
    assert (queue.exchange.name, queue.routing_key) == ("", "billing")
