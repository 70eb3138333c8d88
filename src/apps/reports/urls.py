from django.urls import path

from apps.reports.views import ReportFileView, ReportsView, ReportView

urlpatterns = [
    path("reports/", ReportsView.as_view(), name="reports"),
    path("reports/<str:report_id>/", ReportView.as_view(), name="reports-report"),
    path("reports/<str:report_id>/file/", ReportFileView.as_view(), name="reports-file"),
]
