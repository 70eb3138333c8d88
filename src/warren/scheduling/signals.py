"""What beat tells the rest of its process."""

from django.dispatch import Signal

ticked = Signal()  # the scheduler has looked for what is due, leads not, or has found Postgres away; about each second
