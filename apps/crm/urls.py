from django.urls import include, path
from rest_framework.routers import SimpleRouter

from apps.crm.views.companies import CompanyViewSet, TagViewSet
from apps.crm.views.contacts import ConsentViewSet, ContactBatchRead, ContactViewSet
from apps.crm.views.imports import ImportViewSet
from apps.crm.views.orders import OrderViewSet
from apps.crm.views.privacy import PersonalData, PrivacyRequestViewSet, Retention, RetentionOfClass
from apps.crm.views.segments import SegmentCount, SegmentViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("contacts", ContactViewSet, basename="contact")
router.register("companies", CompanyViewSet, basename="company")
router.register("orders", OrderViewSet, basename="order")
router.register("tags", TagViewSet, basename="tag")
router.register("segments", SegmentViewSet, basename="segment")
router.register("imports", ImportViewSet, basename="import")
router.register("privacy-requests", PrivacyRequestViewSet, basename="privacy-request")

urlpatterns = [
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
