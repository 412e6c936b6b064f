"""Why an archive is not written, or not believed."""

from django.utils.translation import gettext_lazy as _

from config.errors import DomainError


class ArchiveInvalid(DomainError):
    """The archive is damaged, cut off, changed, or no archive of ours: `reason` says where."""

    code = "archive_invalid"
    status = 400
    title = _("This archive cannot be used.")


class ArchiveForeign(DomainError):
    """The archive was not sealed with this installation's SECRET_KEY: nobody here vouches for its content."""

    code = "archive_foreign"
    status = 409
    title = _("This archive was made by another installation.")


class ArchiveVersionUnknown(DomainError):
    """The archive's format is newer than this release reads: `format` and `known` are the numbers."""

    code = "archive_version_unknown"
    status = 409
    title = _("This archive was made by a newer release; import it with that one.")


class ArchiveSchemaDiffers(DomainError):
    """The tenant's schema in the archive has other migrations than this release makes.

    Import it with the release that made it (`release` is its fingerprint), then `fleet migrate` there
    or here after an upgrade.
    """

    code = "archive_schema_differs"
    status = 409
    title = _("This archive's schema is of another release; import it with that one, then migrate.")


class ArchiveBusy(DomainError):
    """Another process is writing this archive, or restoring under this slug."""

    code = "archive_busy"
    status = 409
    title = _("This archive is in use right now.")
