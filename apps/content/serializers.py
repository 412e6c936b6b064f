"""What clients send and get of briefs, templates and pieces."""

from typing import Any

from rest_framework import serializers

from apps.content.models import (
    LONGEST_PIECE,
    LONGEST_SUBJECT,
    LONGEST_TEMPLATE,
    Brief,
    Channel,
    Kind,
    Piece,
    Template,
)
from apps.content.substitution import NAME
from config.serializers import (
    LineField,
    RowSerializer,
    StrictSerializer,
    TextField,
    WholeNumberField,
)

_MOST_LANGUAGES = 20
_MOST_VARIABLES = 100
_LONGEST_VALUE = 2_000
_LONGEST_PROMPT = 2_000


class LanguageField(serializers.RegexField):
    """A BCP 47 code of language, script and region: `es`, `es-MX`, `zh-Hant-TW`."""

    def __init__(self, **options: Any) -> None:
        pattern = r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?\Z"
        super().__init__(pattern, max_length=16, **options)


class BriefIn(StrictSerializer):
    name = LineField(max_length=200, required=False, allow_blank=True)
    objective = TextField(max_length=2000)
    audience = TextField(max_length=2000, required=False, allow_blank=True)
    tone = LineField(max_length=100, required=False, allow_blank=True)
    guidelines = TextField(max_length=5000, required=False, allow_blank=True)
    languages = serializers.ListField(
        child=LanguageField(), max_length=_MOST_LANGUAGES, required=False
    )
    channels = serializers.ListField(
        child=serializers.ChoiceField(choices=Channel.choices),
        max_length=len(Channel),
        required=False,
    )


class BriefOut(RowSerializer[Brief]):
    class Meta:
        model = Brief
        fields = (
            "id",
            "name",
            "objective",
            "audience",
            "tone",
            "guidelines",
            "languages",
            "channels",
            "status",
            "approved_by_id",
            "approved_at",
            "created_by_id",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class VariableField(serializers.RegexField):
    """A variable's name: a letter or `_`, then letters, digits and `_`, 40 characters at most."""

    def __init__(self, **options: Any) -> None:
        super().__init__(rf"^{NAME.pattern}\Z", **options)


class TemplateIn(StrictSerializer):
    name = LineField(max_length=200)
    kind = serializers.ChoiceField(choices=Kind.choices)
    subject = LineField(max_length=LONGEST_SUBJECT, required=False, allow_blank=True)
    body = TextField(max_length=LONGEST_TEMPLATE, trim_whitespace=False)
    variables = serializers.ListField(
        child=VariableField(), max_length=_MOST_VARIABLES, required=False
    )


class TemplateOut(RowSerializer[Template]):
    class Meta:
        model = Template
        fields = (
            "id",
            "name",
            "kind",
            "subject",
            "body",
            "variables",
            "created_by_id",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class ValuesField(serializers.DictField):
    """Variable name → text."""

    def __init__(self, **options: Any) -> None:
        child = TextField(max_length=_LONGEST_VALUE, allow_blank=True, trim_whitespace=False)
        super().__init__(child=child, **options)


class PreviewIn(StrictSerializer):
    values = ValuesField(required=False)


class PreviewOut(serializers.Serializer[Any]):
    """`missing` names the variables without a value; they stay visible in the texts."""

    subject = serializers.CharField()
    body = serializers.CharField()
    missing = serializers.ListField(child=serializers.CharField())


class PieceIn(StrictSerializer):
    """Either `body`, or `template_id` with `values`."""

    brief_id = serializers.UUIDField(required=False, allow_null=True)
    template_id = serializers.UUIDField(required=False, allow_null=True)
    values = ValuesField(required=False)
    channel = serializers.ChoiceField(choices=Channel.choices)
    language = LanguageField()
    title = LineField(max_length=LONGEST_SUBJECT, required=False, allow_blank=True)
    body = TextField(max_length=LONGEST_PIECE, required=False)


class PieceChange(StrictSerializer):
    """`version` is the one that the client read: with it, somebody else's change is not overwritten."""

    channel = serializers.ChoiceField(choices=Channel.choices)
    language = LanguageField()
    title = LineField(max_length=LONGEST_SUBJECT, allow_blank=True)
    body = TextField(max_length=LONGEST_PIECE)
    version = WholeNumberField(min_value=1)


class PieceOut(RowSerializer[Piece]):
    """`engine` names what generated the text; it is empty where a person wrote it."""

    brief_id = serializers.UUIDField(read_only=True, allow_null=True)
    template_id = serializers.UUIDField(read_only=True, allow_null=True)

    class Meta:
        model = Piece
        fields = (
            "id",
            "brief_id",
            "template_id",
            "channel",
            "language",
            "title",
            "body",
            "status",
            "version",
            "engine",
            "approved_by_id",
            "approved_at",
            "created_by_id",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class ReviewIn(StrictSerializer):
    """Nothing is asked: the verb is in the address."""


class GenerateIn(StrictSerializer):
    type = serializers.ChoiceField(choices=Kind.choices)
    prompt = TextField(max_length=_LONGEST_PROMPT)
    brief_id = serializers.UUIDField(required=False, allow_null=True)
    channel = serializers.ChoiceField(choices=Channel.choices, required=False)
    language = LanguageField(required=False)
    tone = LineField(max_length=100, required=False, allow_blank=True)
    audience = LineField(max_length=500, required=False, allow_blank=True)


class GenerateOut(serializers.Serializer[Any]):
    """`id` is that of the draft piece that was kept; `content` is its body, plain text."""

    id = serializers.UUIDField(source="piece.id")
    type = serializers.ChoiceField(choices=Kind.choices, source="kind")
    content = serializers.CharField(source="piece.body")
    title = serializers.CharField(source="piece.title")
    channel = serializers.CharField(source="piece.channel")
    language = serializers.CharField(source="piece.language")
    engine = serializers.CharField(source="piece.engine")
    notice = serializers.CharField()
