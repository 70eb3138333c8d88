"""The pages that the dashboard's navigation leads to. An app adds its own in its `AppConfig.ready()`."""

from dataclasses import dataclass

AFTER_WARRENS_OWN = 50


@dataclass(frozen=True, kw_only=True)
class Item:
    """One entry. Entries stand in the order of `order`, then of their labels."""

    label: str
    url_name: str
    staff_only: bool = False
    order: int = AFTER_WARRENS_OWN


_items: dict[str, Item] = {}


def add(label: str, *, url_name: str, staff_only: bool = False, order: int = AFTER_WARRENS_OWN) -> None:
    """Let the navigation lead to the page of this name in the urls; a name that is added again is replaced."""
    _items[url_name] = Item(label=label, url_name=url_name, staff_only=staff_only, order=order)


def items(*, is_staff: bool) -> list[Item]:
    """What a user may open."""
    seen = [item for item in _items.values() if is_staff or not item.staff_only]
    return sorted(seen, key=lambda item: (item.order, item.label))
