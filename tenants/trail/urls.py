"""A tenant's audit trail, under /api/v1/."""

from django.urls import path

from tenants.trail.views import AuditEvents, AuditExportCsv, AuditExportLines

urlpatterns = [
    path("audit-events", AuditEvents.as_view({"get": "list"}), name="audit-events"),
    path("audit-events/export.csv", AuditExportCsv.as_view(), name="audit-export-csv"),
    path("audit-events/export.ndjson", AuditExportLines.as_view(), name="audit-export-ndjson"),
]
