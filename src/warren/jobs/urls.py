from django.urls import path

from warren.jobs.batch_views import BatchView
from warren.jobs.cancel_views import JobCancelView, JobsCancelView
from warren.jobs.job_views import JobsView, JobView
from warren.jobs.live.views import JobEventsView, JobsEventsView
from warren.jobs.result_views import TaskResultView, TasksView
from warren.jobs.retry_views import JobRetryView, JobsRetryView

urlpatterns = [
    path("jobs/", JobsView.as_view(), name="jobs"),
    path("jobs/cancel/", JobsCancelView.as_view(), name="jobs-cancel"),
    path("jobs/retry/", JobsRetryView.as_view(), name="jobs-retry"),
    path("jobs/batch/", BatchView.as_view(), name="job-batch"),
    path("jobs/events/", JobsEventsView.as_view(), name="jobs-events"),
    path("jobs/<job:job_id>/", JobView.as_view(), name="job"),
    path("jobs/<job:job_id>/events/", JobEventsView.as_view(), name="job-events"),
    path("jobs/<job:job_id>/cancel/", JobCancelView.as_view(), name="job-cancel"),
    path("jobs/<job:job_id>/retry/", JobRetryView.as_view(), name="job-retry"),
    path("task-result/<job:task_id>/", TaskResultView.as_view(), name="task-result"),
    path("tasks/", TasksView.as_view(), name="tasks"),
]
