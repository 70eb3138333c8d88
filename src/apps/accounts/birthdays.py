"""Whose birthday it is."""

from calendar import isleap
from datetime import date

from django.db.models import Q, QuerySet

from apps.accounts.models import User


def users_on(day: date) -> QuerySet[User]:
    """Active users with a birthday on this day. Who was born on 29 February has it on the 28th in other years."""
    born = Q(birthday__month=day.month, birthday__day=day.day)
    if (day.month, day.day) == (2, 28) and not isleap(day.year):
        born |= Q(birthday__month=2, birthday__day=29)
    return User.objects.filter(born, is_active=True)
