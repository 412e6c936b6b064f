"""Copies of a tenant: exported as one archive, and restored from one under a new slug."""

from tenants.archives.exporting import export_to
from tenants.archives.importing import Restored, discard, finished, restore_from
from tenants.archives.requests import request_export, run_export

__all__ = [
    "Restored",
    "discard",
    "export_to",
    "finished",
    "request_export",
    "restore_from",
    "run_export",
]
