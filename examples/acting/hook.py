"""Takes a webhook, looks at its signature, and says when it came."""

from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

from segue.domain.signature import SignatureError, verify

SECRETS = ["a secret of the CRM"]


class Hook(BaseHTTPRequestHandler):
    """One address that takes posts."""

    def do_POST(self) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")[11:23]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            message_id = verify(dict(self.headers), body, SECRETS)
        except SignatureError as error:
            self.send_error(400, str(error))
            return
        self.send_response(204)
        self.end_headers()
        print(at, message_id, "signed as it should be", body.decode(), flush=True)

    def log_message(self, *_: object) -> None:
        """Says nothing of its own."""


HTTPServer(("127.0.0.1", 9000), Hook).serve_forever()
