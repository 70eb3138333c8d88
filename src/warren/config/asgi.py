"""What gunicorn serves."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "warren.config.settings")
django_application = get_asgi_application()

from warren.jobs.live import routing  # noqa: E402  needs Django's models

application = routing.around(django_application)
