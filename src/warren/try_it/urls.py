from django.urls import path

from warren.try_it import views

urlpatterns = [
    path("", views.index, name="try-it"),
    path("<str:task>/", views.form, name="try-it-form"),
    path("<str:task>/<job:job_id>/", views.job, name="try-it-job"),
]
