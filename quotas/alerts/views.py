"""Where usage leads, and how a tenant wants to be told of it. A refused tenant reaches both."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import View, parse
from config.context import Place, require_tenant
from config.errors import NotFound
from config.needs import Meter, Needs, Permission
from quotas import ledger
from quotas.alerts import settings
from quotas.alerts.outlook import outlooks
from quotas.alerts.serializers import (
    AlertSettingIn,
    AlertSettingOut,
    AlertSettingsOut,
    UsageForecastOut,
    outlook,
)


class UsageForecast(View):
    """When each meter's limit is reached at the present pace, with an 80 % interval."""

    needs = Needs(read=Permission.USAGE_READ, critical=True, meter=None)

    @extend_schema(operation_id="usage_forecast", responses=UsageForecastOut)
    def get(self, request: Request) -> Response:
        tenant_id, now = require_tenant().id, timezone.now()
        usage = ledger.usage(tenant_id=tenant_id, now=now)
        rows = [outlook(each) for each in outlooks(tenant_id, usage, now=now)]
        return Response(UsageForecastOut({"meters": rows}).data)


class UsageAlerts(View):
    """How each meter's alerts are told."""

    needs = Needs(read=Permission.USAGE_READ, critical=True, meter=None)

    @extend_schema(operation_id="usage_alerts", responses=AlertSettingsOut)
    def get(self, request: Request) -> Response:
        found = settings.settings_of(require_tenant().id, list(Meter))
        return Response(AlertSettingsOut({"meters": list(found.values())}).data)


class UsageAlertSetting(View):
    """One meter's alerts: by which channel, at which further percents, to whom, and when quiet."""

    needs = Needs(write=Permission.BILLING_WRITE, critical=True, meter=None)
    place = Place.SQUARE

    @extend_schema(
        operation_id="usage_alerts_change", request=AlertSettingIn, responses=AlertSettingOut
    )
    def put(self, request: Request, meter: str) -> Response:
        if meter not in set(Meter):
            raise NotFound()
        wish = parse(AlertSettingIn, request.data)
        row = settings.change(tenant_id=require_tenant().id, meter=Meter(meter), wish=wish)
        return Response(AlertSettingOut(row).data)
