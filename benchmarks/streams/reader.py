"""The smallest reader of a stream that there can be, so that a thousand of them do not disturb what is measured."""

import asyncio
import base64
import os
import time

HOST, PORT = "127.0.0.1", 8000
OPENS_WITHIN_S = 30.0
FINAL = b'"state":"succeeded"'
TEXT = 0x81  # a whole text frame: https://www.rfc-editor.org/rfc/rfc6455#section-5.2
SHORT, MEDIUM = 126, 127


class Reader:
    """One stream of one job. `way` is `events` or `websocket`."""

    def __init__(self, job_id: str, *, way: str, token: str) -> None:
        self._job_id, self._way, self._token = job_id, way, token

    async def open(self) -> None:
        """Connect, and read the state as it is. Raises `AssertionError` if the stream is refused."""
        self._stream, self._writer = await asyncio.open_connection(HOST, PORT)
        self._writer.write("\r\n".join([*self._request(), "", ""]).encode())
        head = await asyncio.wait_for(self._stream.readuntil(b"\r\n\r\n"), OPENS_WITHIN_S)
        if head.split(b" ", 2)[1] not in (b"200", b"101"):
            raise AssertionError(f"refused: {head!r}")
        await asyncio.wait_for(self._next(), OPENS_WITHIN_S)

    async def until_final(self) -> float:
        """When the final state came, as `time.time()`."""
        while FINAL not in await self._next():
            pass
        at = time.time()
        self._writer.close()
        return at

    def _request(self) -> list[str]:
        address = f"/api/jobs/{self._job_id}/events/" if self._way == "events" else f"/ws/tasks/{self._job_id}/"
        lines = [f"GET {address} HTTP/1.1", "Host: localhost", f"Authorization: Token {self._token}"]
        if self._way == "websocket":
            key = base64.b64encode(os.urandom(16)).decode()
            lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
            lines += [f"Sec-WebSocket-Key: {key}"]
        return lines

    async def _next(self) -> bytes:
        return await (self._event() if self._way == "events" else self._frame())

    async def _event(self) -> bytes:
        while True:
            line = await self._stream.readuntil(b"\n")
            if line.startswith(b'data: {"id"'):
                return line

    async def _frame(self) -> bytes:
        first, length = await self._stream.readexactly(2)
        if length == SHORT:
            length = int.from_bytes(await self._stream.readexactly(2))
        elif length == MEDIUM:
            length = int.from_bytes(await self._stream.readexactly(8))
        payload = await self._stream.readexactly(length)
        if first != TEXT:
            raise AssertionError(f"closed before the end: {payload!r}")
        return payload
