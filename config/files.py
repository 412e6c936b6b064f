"""Files: a tenant's lie in a folder of its id, and nobody else's can be named from inside a tenant."""

from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler
from django.utils.translation import gettext_lazy as _

from config.context import current_tenant, refuse_unsaid_place
from config.errors import DomainError


class DataRegionElsewhere(DomainError):
    """The tenant's data belongs in `data_region`, and this installation stores in `region`."""

    code = "data_region_elsewhere"
    status = 409
    title = _("This organisation's data is stored in another region.")


class TenantFiles(FileSystemStorage):
    """The folder PLAZA_FILES. Names begin with the tenant's id, wherever a tenant is in force.

    Without one (the square: exports, erasure, the doctor) every file can be named.
    """

    def path(self, name: str) -> str:
        """Where `name` lies. Raises SuspiciousFileOperation for another tenant's, and NoPlace."""
        refuse_unsaid_place()
        found = super().path(name)
        tenant = current_tenant()
        # Of the resolved path: `<our id>/../<another's>` begins with ours.
        inner = Path(found).relative_to(self.location).parts
        if tenant is not None and (not inner or inner[0] != str(tenant.id)):
            raise SuspiciousFileOperation("This file is not of the tenant in force.")
        return found

    def _save(self, name: str, content: Any) -> str:
        """Raises DataRegionElsewhere."""
        tenant = current_tenant()
        if tenant is not None:
            refuse_region(tenant.region)
        saved: str = super()._save(name, content)  # type: ignore[misc]  # its stubs know it not
        return saved


def refuse_region(region: str) -> None:
    """Raise DataRegionElsewhere where data of `region` may not be stored here."""
    if settings.PLAZA_REGION and region and region != settings.PLAZA_REGION:
        raise DataRegionElsewhere(data_region=region, region=settings.PLAZA_REGION)


class TenantUpload(TemporaryUploadedFile):
    """An upload too large for memory, in a temporary file whose name says whose it is."""

    def __init__(self, name: str | None, *facts: Any) -> None:
        tenant = current_tenant()
        file = NamedTemporaryFile(  # noqa: SIM115 - closed with the request
            prefix=f"plaza-{tenant.id.hex if tenant else 'square'}-",
            suffix=".upload",
            dir=settings.FILE_UPLOAD_TEMP_DIR,
        )
        UploadedFile.__init__(self, file, name, *facts)


class TenantUploadHandler(TemporaryFileUploadHandler):
    """Django's, with files of ours."""

    def new_file(self, *args: Any, **options: Any) -> None:
        FileUploadHandler.new_file(self, *args, **options)
        self.file = TenantUpload(
            self.file_name, self.content_type, 0, self.charset, self.content_type_extra
        )
