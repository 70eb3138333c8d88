"""The pages that the dashboard's navigation leads to. An app adds its own in its `AppConfig.ready()`."""

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

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


def items_for(user: AbstractBaseUser | AnonymousUser) -> list[Item]:
    """What this user may open."""
    seen = [item for item in _items.values() if not item.staff_only or getattr(user, "is_staff", False)]
    return sorted(seen, key=lambda item: (item.order, item.label))
