from django.urls import path

from apps.images.views import ThumbnailView, UploadsView, UploadView

urlpatterns = [
    path("images/", UploadsView.as_view(), name="images"),
    path("images/<int:upload_id>/", UploadView.as_view(), name="images-upload"),
    path("images/<int:upload_id>/thumbnails/<slug:size>/", ThumbnailView.as_view(), name="images-thumbnail"),
]
