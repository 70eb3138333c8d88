from django.urls import path

from apps.fetching.views import FetchView

urlpatterns = [path("fetch/", FetchView.as_view(), name="fetching-fetch")]
