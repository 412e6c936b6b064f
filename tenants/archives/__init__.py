"""Copies of a tenant: exported as one archive, and restored from one under a new slug."""

from tenants.archives.exporting import export_to
from tenants.archives.importing import Restored, check_name, discard, finished, restore_from
from tenants.archives.letters import tell_ready
from tenants.archives.requests import (
    export_named,
    exports_of,
    forget_exports,
    request_export,
    resume_exports,
    run_export,
)
from tenants.archives.usage import usage_in

__all__ = [
    "Restored",
    "check_name",
    "discard",
    "export_named",
    "export_to",
    "exports_of",
    "finished",
    "forget_exports",
    "request_export",
    "restore_from",
    "resume_exports",
    "run_export",
    "tell_ready",
    "usage_in",
]
