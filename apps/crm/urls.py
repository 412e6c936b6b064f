from django.urls import include, path
from rest_framework.routers import SimpleRouter

from apps.crm.views.activities import ContactTimeline, NoteViewSet, TaskViewSet
from apps.crm.views.companies import CompanyBatchRead, CompanyViewSet, TagViewSet
from apps.crm.views.contacts import ConsentViewSet, ContactBatchRead, ContactViewSet
from apps.crm.views.deals import DealBatchRead, DealViewSet, PipelineViewSet
from apps.crm.views.imports import ImportViewSet
from apps.crm.views.orders import OrderViewSet
from apps.crm.views.privacy import PersonalData, PrivacyRequestViewSet, Retention, RetentionOfClass
from apps.crm.views.segments import SegmentCount, SegmentViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("contacts", ContactViewSet, basename="contact")
router.register("companies", CompanyViewSet, basename="company")
router.register("orders", OrderViewSet, basename="order")
router.register("tags", TagViewSet, basename="tag")
router.register("deals", DealViewSet, basename="deal")
router.register("pipelines", PipelineViewSet, basename="pipeline")
router.register("notes", NoteViewSet, basename="note")
router.register("tasks", TaskViewSet, basename="task")
router.register("segments", SegmentViewSet, basename="segment")
router.register("imports", ImportViewSet, basename="import")
router.register("privacy-requests", PrivacyRequestViewSet, basename="privacy-request")

urlpatterns = [
    path("companies/batch/read", CompanyBatchRead.as_view(), name="company-batch-read"),
    path("deals/batch/read", DealBatchRead.as_view(), name="deal-batch-read"),
    path("contacts/<uuid:contact_id>/timeline", ContactTimeline.as_view(), name="contact-timeline"),
    path("segments/count", SegmentCount.as_view(), name="segment-count"),
    path("contacts/batch/read", ContactBatchRead.as_view(), name="contact-batch-read"),
    path("", include(router.urls)),
    path(
        "contacts/<uuid:contact_id>/consents",
        ConsentViewSet.as_view({"get": "list", "post": "create"}),
        name="contact-consents",
    ),
    path(
        "contacts/<uuid:contact_id>/personal-data",
        PersonalData.as_view(),
        name="contact-personal-data",
    ),
    path("retention", Retention.as_view(), name="retention"),
    path("retention/<slug:name>", RetentionOfClass.as_view(), name="retention-of-class"),
]
