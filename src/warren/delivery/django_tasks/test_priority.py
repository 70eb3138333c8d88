import pytest

from warren.delivery.django_tasks import priority


@pytest.mark.parametrize(
    ("django", "celery"),
    [(-100, 0), (-50, 2), (-1, 4), (0, None), (1, 5), (25, 6), (50, 7), (99, 8), (100, 9)],
)
def test_it_maps_django_s_priorities_onto_celery_s(django: int, celery: int | None) -> None:
    assert priority.to_celery(django) == celery


def test_it_keeps_the_order_of_priorities() -> None:
    mapped = [priority.to_celery(each) for each in range(-100, 101) if each]

    assert mapped == sorted(mapped, key=lambda each: -1 if each is None else each)
