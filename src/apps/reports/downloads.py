"""Answers with a file of any size, of which a block at a time is in memory."""

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.http import FileResponse


class Download(FileResponse):
    """Django's, which under ASGI would read the whole file before it sends any of it."""

    block_size = 64 * 1024

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Read in a thread, because a disk may keep one waiting."""
        if self.file_to_stream is None:
            raise TypeError("a Download is of an open file")
        read = sync_to_async(self.file_to_stream.read, thread_sensitive=False)
        while block := await read(self.block_size):
            yield block
