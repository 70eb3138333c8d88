from django.urls import path

from warren.dashboard import (
    bulk_views,
    dead_letter_views,
    job_list_views,
    job_page_views,
    overview_views,
    schedule_views,
    session_views,
    step_views,
)

urlpatterns = [
    path("", session_views.root, name="root"),
    path("login/", session_views.log_in, name="login"),
    path("logout/", session_views.log_out, name="logout"),
    path("overview/", overview_views.overview, name="overview"),
    path("jobs/", job_list_views.job_list, name="job-list"),
    path("jobs/<job:job_id>/", job_page_views.job_page, name="job-page"),
    path("jobs/<job:job_id>/clone/", step_views.clone_job, name="job-clone"),
    path("jobs/<job:job_id>/<slug:verb>/", step_views.one_step, name="job-step"),
    path("bulk/<slug:verb>/", bulk_views.bulk_step, name="bulk-step"),
    path("schedules/", schedule_views.schedule_list, name="schedule-list"),
    path("schedules/<int:pk>/<slug:verb>/", schedule_views.steer, name="schedule-step"),
    path("dead-letters/", dead_letter_views.dead_letters, name="dead-letters"),
]
