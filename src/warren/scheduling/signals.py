"""What beat tells the rest of its process."""

from django.dispatch import Signal

ticked = Signal()  # the scheduler has looked for what is due, or has found Postgres away; at least every five seconds
