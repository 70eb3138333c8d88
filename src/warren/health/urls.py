from django.urls import path

from warren.health import views

urlpatterns = [
    path("livez", views.livez),
    path("readyz", views.readyz),
]
