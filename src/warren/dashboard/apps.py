from django.apps import AppConfig

from warren.dashboard import navigation


class DashboardConfig(AppConfig):
    name = "warren.dashboard"
    label = "dashboard"

    def ready(self) -> None:
        """The pages of Warren itself come first."""
        navigation.add("Overview", url_name="overview", order=10)
        navigation.add("Jobs", url_name="job-list", order=20)
        navigation.add("Schedules", url_name="schedule-list", staff_only=True, order=30)
        navigation.add("Dead letters", url_name="dead-letters", order=40)
