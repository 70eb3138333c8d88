from django.urls import path

from apps.reminders.views import ReminderCancelView, RemindersView, ReminderView

urlpatterns = [
    path("reminders/", RemindersView.as_view(), name="reminders"),
    path("reminders/<int:reminder_id>/", ReminderView.as_view(), name="reminders-reminder"),
    path("reminders/<int:reminder_id>/cancel/", ReminderCancelView.as_view(), name="reminders-cancel"),
]
