"""What laws ask: requests with deadlines, consent's proof, and consent to a sale."""

import django.db.models.functions.datetime
from django.db import migrations, models
from django.db.models import Q

import config.ids

_LAWS = [("gdpr", "Gdpr"), ("ccpa", "Ccpa"), ("pipeda", "Pipeda")]
_KINDS = [
    ("access", "Access"),
    ("erase", "Erase"),
    ("correct", "Correct"),
    ("restrict", "Restrict"),
    ("portability", "Portability"),
    ("do_not_sell", "Do Not Sell"),
]
_STATES = [("open", "Open"), ("completed", "Completed"), ("refused", "Refused")]
_PURPOSES = [
    ("marketing", "Marketing"),
    ("transactional", "Transactional"),
    ("profiling", "Profiling"),
    ("sale", "Sale"),
]


class Migration(migrations.Migration):
    dependencies = [("crm", "0002_orders_found")]

    operations = [
        migrations.AddField(
            "consent",
            "proof",
            models.CharField(blank=True, db_default="", default="", max_length=2000),
        ),
        migrations.AlterField(
            "consent", "purpose", models.CharField(choices=_PURPOSES, max_length=16)
        ),
        migrations.RemoveConstraint("consent", "consent_words_are_known"),
        migrations.AddConstraint(
            "consent",
            models.CheckConstraint(
                condition=Q(channel__in=["email", "sms", "whatsapp", "phone", "push"])
                & Q(purpose__in=["marketing", "transactional", "profiling", "sale"])
                & Q(status__in=["granted", "pending", "withdrawn"]),
                name="consent_words_are_known",
            ),
        ),
        migrations.CreateModel(
            name="PrivacyRequest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=config.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("law", models.CharField(choices=_LAWS, max_length=16)),
                ("kind", models.CharField(choices=_KINDS, max_length=16)),
                ("status", models.CharField(choices=_STATES, default="open", max_length=16)),
                ("contact_id", models.UUIDField(null=True)),
                ("subject", models.CharField(blank=True, default="", max_length=254)),
                ("note", models.CharField(blank=True, default="", max_length=1000)),
                ("received_on", models.DateField()),
                ("due_on", models.DateField()),
                ("extended_reason", models.CharField(blank=True, default="", max_length=1000)),
                ("closed_at", models.DateTimeField(null=True)),
                ("closed_by_id", models.UUIDField(null=True)),
                ("outcome", models.CharField(blank=True, default="", max_length=1000)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["due_on"],
                        condition=Q(status="open"),
                        name="privacy_request_open",
                    ),
                    models.Index(
                        fields=["contact_id"],
                        condition=Q(contact_id__isnull=False),
                        name="privacy_request_of_contact",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(status="open", closed_at=None)
                        | (~Q(status="open") & Q(closed_at__isnull=False)),
                        name="privacy_request_closed_has_closed_at",
                    ),
                    models.CheckConstraint(
                        condition=~Q(status="refused", outcome=""),
                        name="privacy_request_refused_has_reason",
                    ),
                ],
            },
        ),
    ]
