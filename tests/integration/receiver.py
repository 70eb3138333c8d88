"""Receives webhooks inside the stack, as a customer's server would outside; it runs in web's image, for its Python.

POST /hook/<name>?fail=2     500 for the first two calls of that name, then 200
POST /hook/<name>?hang=20    no answer to the first call for so many seconds, then 200
GET  /received/<name>        the calls so far: `[{"headers": …, "body": …}]`
"""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PORT = 9000

received: dict[str, list[dict[str, object]]] = {}


class Handler(BaseHTTPRequestHandler):
    """Does as the address says."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        address = urlsplit(self.path)
        wish = {name: float(values[0]) for name, values in parse_qs(address.query).items() if name in ("fail", "hang")}
        calls = received.setdefault(address.path.rpartition("/")[2], [])
        calls.append({"headers": dict(self.headers.items()), "body": body.decode()})
        if len(calls) == 1:
            time.sleep(wish.get("hang", 0))
        self._answer(500 if len(calls) <= wish.get("fail", 0) else 200, b"")

    def do_GET(self) -> None:
        self._answer(200, json.dumps(received.get(self.path.rpartition("/")[2], [])).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", PORT), Handler).serve_forever()  # noqa: S104  in a container of its own
