"""What the peers serve: the same nouns by ordinary DRF viewsets under `/api/v1/`."""

from typing import Any, ClassVar

from django.urls import include, path
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer, SlugRelatedField
from rest_framework.viewsets import ModelViewSet

from apps.crm.models import Company, Contact, Order, Tag


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


class CompanySerializer(ModelSerializer[Company]):
    class Meta:
        model = Company
        fields = (
            "id", "external_id", "name", "domain", "industry", "fields", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = ("created_at", "updated_at")
        validators: tuple[Any, ...] = ()
        extra_kwargs: ClassVar[dict[str, Any]] = {
            name: {"required": False, "validators": []} for name in ("external_id", "fields")
        }


class TagSerializer(ModelSerializer[Tag]):
    class Meta:
        model = Tag
        fields = ("id", "name", "created_at")
        read_only_fields = ("created_at",)
        validators: tuple[Any, ...] = ()


class OrderSerializer(ModelSerializer[Order]):
    class Meta:
        model = Order
        fields = (
            "id", "contact_id", "external_id", "ordered_on", "quantity", "amount_minor", "currency",
            "created_at",
        )  # fmt: skip


class Page(LimitOffsetPagination):
    default_limit = 20


class Contacts(ModelViewSet[Contact]):
    queryset = Contact.objects.select_related("company").prefetch_related("tags").order_by("-id")
    serializer_class: Any = ContactSerializer
    pagination_class = Page


class Companies(ModelViewSet[Company]):
    queryset = Company.objects.order_by("-id")
    serializer_class: Any = CompanySerializer
    pagination_class = Page


class Tags(ModelViewSet[Tag]):
    queryset = Tag.objects.order_by("-id")
    serializer_class: Any = TagSerializer
    pagination_class = Page


class Orders(ModelViewSet[Order]):
    queryset = Order.objects.order_by("-id")
    serializer_class: Any = OrderSerializer
    pagination_class = Page


VIEWS: dict[str, type[ModelViewSet[Any]]] = {
    "contacts": Contacts,
    "companies": Companies,
    "tags": Tags,
    "orders": Orders,
}
router = SimpleRouter(trailing_slash=False)
for noun, view in VIEWS.items():
    router.register(noun, view)
urlpatterns = [path("api/v1/", include(router.urls))]
