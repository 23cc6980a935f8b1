import tempfile
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler


class UnnamedFileUploadHandler(TemporaryFileUploadHandler):
    """Upload handler with temporary files that have no name, so that a killed server leaves none of them behind."""

    file: Any

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        FileUploadHandler.new_file(self, *args, **kwargs)
        waiting = tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115  (closed with the request)
        self.file = UploadedFile(waiting, self.file_name, self.content_type, 0, self.charset, self.content_type_extra)

    def upload_interrupted(self) -> None:
        if hasattr(self, "file"):
            self.file.close()
