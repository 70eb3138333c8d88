"""All addresses: the apps' under /api/, Warren's own beside them."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from warren.config import discovery
from warren.dashboard.guessing import CountedAdminForm, slowed
from warren.jobs.live.page import FollowPage
from warren.jobs.unknown import unknown

admin.site.login_form = CountedAdminForm

urlpatterns = [
    path("", include("warren.dashboard.urls")),
    path("", include("warren.health.urls")),
    path("try/", include("warren.try_it.urls")),
    path("admin/login/", slowed(admin.site.login)),  # in front of the admin's own, and the same
    path("admin/", admin.site.urls),
    path("follow/", FollowPage.as_view(), name="follow"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("api/", include("warren.jobs.urls")),
    path("api/", include(discovery.urlpatterns())),
    path("api/<path:rest>", unknown),
]
