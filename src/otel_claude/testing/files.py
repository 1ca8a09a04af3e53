"""Uploaded files: reading the upload, and what the Files API says about a file.

Unlike the real API, the simulated one lets uploaded files be downloaded.
https://platform.claude.com/docs/en/api/files
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from otel_claude.testing.exchange import Json, Request
from otel_claude.testing.messages import Ids

_BOUNDARY = re.compile(r'boundary="?([^";]+)')
_FILENAME = re.compile(r'filename="([^"]*)"')
_MEDIA_TYPE = re.compile(r"^content-type: *([^;\r\n]+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class File:
    """A stored file."""

    id: str
    name: str
    media_type: str
    content: bytes = field(repr=False)
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    def document(self) -> Json:
        """The FileMetadata."""
        return {
            "id": self.id,
            "type": "file",
            "filename": self.name,
            "mime_type": self.media_type,
            "size_bytes": len(self.content),
            "created_at": self.created.isoformat(),
            "downloadable": True,
        }


def uploaded(request: Request, ids: Ids) -> File | None:
    """The file that a multipart request brings in its part `file`. `None` where there is no such part."""
    boundary = _BOUNDARY.search(request.headers.get("content-type", ""))
    if boundary is None:
        return None
    for part in request.body.split(b"--" + boundary[1].encode()):
        raw, _, content = part.partition(b"\r\n\r\n")
        head = raw.decode()
        if 'name="file"' not in head:
            continue
        name, media_type = _FILENAME.search(head), _MEDIA_TYPE.search(head)
        return File(
            ids.new("file"),
            name[1] if name else "unnamed",
            media_type[1] if media_type else "application/octet-stream",
            content.removesuffix(b"\r\n"),
        )
    return None
