from django.urls import path

from warren.dashboard import session_views

urlpatterns = [
    path("", session_views.root, name="root"),
    path("login/", session_views.log_in, name="login"),
    path("logout/", session_views.log_out, name="logout"),
]
