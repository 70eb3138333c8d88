from django.apps import AppConfig


class MaintenanceConfig(AppConfig):
    name = "warren.maintenance"
    label = "maintenance"
