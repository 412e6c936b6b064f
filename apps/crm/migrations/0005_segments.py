"""Segments, who is in them, and the contacts that they have yet to look at."""

import config.ids
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0004_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="SegmentChange",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("contact_id", models.UUIDField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Segment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("external_id", models.CharField(max_length=200, null=True)),
                ("name", models.CharField(max_length=200)),
                (
                    "kind",
                    models.CharField(
                        choices=[("dynamic", "Dynamic"), ("static", "Static")], max_length=16
                    ),
                ),
                ("rule", models.JSONField(null=True)),
                ("uses", models.JSONField(default=list)),
                ("taken_of_id", models.UUIDField(null=True)),
                ("filled_at", models.DateTimeField(null=True)),
                ("looked_on", models.DateField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("name"), name="segment_once_by_name"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("external_id__isnull", False)),
                        fields=("external_id",),
                        name="segment_once_by_external_id",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "dynamic"), ("rule__isnull", False)),
                            models.Q(("kind", "static"), ("rule__isnull", True)),
                            _connector="OR",
                        ),
                        name="segment_has_a_rule_or_is_static",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SegmentMember",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "segment_id",
                        "contact_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("entered_at", models.DateTimeField()),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="segment_members",
                        to="crm.contact",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="crm.segment",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["contact", "segment"], name="segment_member_by_contact")
                ],
            },
        ),
    ]
