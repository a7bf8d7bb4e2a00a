#!/usr/bin/env python3
"""The verifier of compose.yaml: every row of a CSV file has as many fields as its heading."""
import base64
import csv
import hashlib
import hmac
import io
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = base64.b64decode(os.environ["VERIFIER_SECRET"].removeprefix("whsec_"))
ADDRESS = os.environ.get("VERIFIER_ADDRESS", "0.0.0.0")
PORT = int(os.environ.get("VERIFIER_PORT", "9000"))
MAX_BYTES = 64 << 20


def judge(body):
    """Returns the verdict on a file."""
    try:
        rows = list(csv.reader(io.StringIO(body.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        return {"verdict": "failed", "detail": str(error)}
    if len(rows) < 2:
        return {"verdict": "failed", "detail": "no rows"}
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            return {"verdict": "failed", "detail": f"row {number} has {len(row)} fields, the heading {len(rows[0])}"}
    return {"verdict": "passed"}


class Verifier(BaseHTTPRequestHandler):
    """Answers requests that gannet signed (Standard Webhooks)."""

    timeout = 30

    def do_POST(self):
        length = int(self.headers.get("Content-Length", "-1"))
        if not 0 <= length <= MAX_BYTES:
            return self.answer(413, {"detail": "no length, or too long"})
        body = self.rfile.read(length)
        if not self.is_signed(body):
            return self.answer(401, {"detail": "not signed by gannet"})
        return self.answer(200, judge(body))

    def is_signed(self, body):
        message_id, sent = self.headers.get("webhook-id", ""), self.headers.get("webhook-timestamp", "")
        if not sent.isdecimal() or abs(time.time() - int(sent)) > 300:
            return False
        signed = f"{message_id}.{sent}.".encode() + body
        expected = b"v1," + base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256))
        return hmac.compare_digest(expected, self.headers.get("webhook-signature", "").encode())

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    server = ThreadingHTTPServer((ADDRESS, PORT), Verifier)
    print(f"listening on port {server.server_address[1]}")
    server.serve_forever()
