from django.urls import path

from apps.webhooks import panel
from apps.webhooks.views import JobWebhooksView, RedeliverView, WebhookSecretView

urlpatterns = [
    path("jobs/<job:job_id>/webhooks/", JobWebhooksView.as_view(), name="job-webhooks"),
    path("jobs/<job:job_id>/webhooks/<str:delivery_id>/redeliver/", RedeliverView.as_view(), name="job-redeliver"),
    # a form of the job's page, for whoever is logged in there
    path("jobs/<job:job_id>/webhooks/<str:delivery_id>/again/", panel.redeliver, name="webhooks-panel-redeliver"),
    path("webhooks/secret/", WebhookSecretView.as_view(), name="webhook-secret"),
]
