"""What the peers serve: the same contacts by an ordinary DRF viewset, `/api/v1/contacts`."""

from typing import Any, ClassVar

from django.urls import include, path
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer, SlugRelatedField
from rest_framework.viewsets import ModelViewSet

from apps.crm.models import Contact


class ContactSerializer(ModelSerializer[Contact]):
    company: Any = SlugRelatedField("name", read_only=True)
    tags: Any = SlugRelatedField("name", many=True, read_only=True)

    class Meta:
        model = Contact
        fields = (
            "id", "external_id", "email", "first_name", "last_name", "phone", "company", "tags",
            "fields", "owner_id", "archived_at", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = ("created_at", "updated_at", "archived_at")
        # The constraints have the last word here too: DRF would ask the database once for each.
        validators: tuple[Any, ...] = ()
        extra_kwargs: ClassVar[dict[str, Any]] = {
            name: {"required": False, "validators": []}
            for name in ("email", "external_id", "fields")
        }


class Page(LimitOffsetPagination):
    default_limit = 20


class Contacts(ModelViewSet[Contact]):
    queryset = Contact.objects.select_related("company").prefetch_related("tags").order_by("-id")
    serializer_class: Any = ContactSerializer
    pagination_class = Page


router = SimpleRouter(trailing_slash=False)
router.register("contacts", Contacts)
urlpatterns = [path("api/v1/", include(router.urls))]
