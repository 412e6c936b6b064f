"""Closed by default. Apart from config/api.py, since DRF imports its settings while it is imported."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from config.needs import Needs


class IsDeclared(BasePermission):
    """Closed by default: a view that declares no needs is not served."""

    def has_permission(self, request: Request, view: object) -> bool:
        return isinstance(getattr(view, "needs", None), Needs)
