"""What clients say of, and read about, notes, tasks and a contact's timeline."""

from typing import Any

from rest_framework import serializers

from apps.crm.models import Note, Task
from apps.crm.models.activities import NOTE_LENGTH, TITLE_LENGTH
from config.personal import is_personal_hidden, text_without_personal
from config.serializers import LineField, RowSerializer, StrictSerializer, TextField


class AboutIn(StrictSerializer):
    """About one of these."""

    contact_id = serializers.UUIDField(required=False, allow_null=True)
    company_id = serializers.UUIDField(required=False, allow_null=True)
    deal_id = serializers.UUIDField(required=False, allow_null=True)


class NoteIn(AboutIn):
    text = TextField(max_length=NOTE_LENGTH)


class TaskIn(AboutIn):
    title = LineField(max_length=TITLE_LENGTH)
    text = TextField(max_length=NOTE_LENGTH, required=False, allow_blank=True)
    due_at = serializers.DateTimeField(required=False, allow_null=True)
    assignee_id = serializers.UUIDField(
        required=False, allow_null=True, help_text="A member's person: `person.id` of `/members`."
    )
    done = serializers.BooleanField(required=False)


_ABOUT = ["id", "contact_id", "company_id", "deal_id", "author_id", "created_at", "updated_at"]


class NoteOut(RowSerializer[Note]):
    class Meta:
        model = Note
        fields = [*_ABOUT, "text"]


class TaskOut(RowSerializer[Task]):
    class Meta:
        model = Task
        fields = [*_ABOUT, "title", "text", "due_at", "done_at", "assignee_id"]


class MomentOut(serializers.Serializer[Any]):
    """`data` is what its kind tells: an order's amount, a note's text, …"""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    at = serializers.DateTimeField()
    data = serializers.DictField()  # type: ignore[assignment]

    def to_representation(self, instance: Any) -> Any:
        answer = super().to_representation(instance)
        if is_personal_hidden():
            answer["data"] = {
                name: text_without_personal(value) if isinstance(value, str) else value
                for name, value in answer["data"].items()
            }
        return answer
