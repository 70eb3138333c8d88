from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    name = "warren.delivery"
    label = "delivery"
    verbose_name = "Jobs"
    default_auto_field = "django.db.models.BigAutoField"
