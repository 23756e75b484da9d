#!/usr/bin/env python3
"""A fake vendor, as small as one can be: contacts over REST with an API token. Change it together with toy.c until it
answers as your real vendor does; then everything can be tried without it.

Usage: vendor.py [--port N] [--contacts N]
Its first line of output is one JSON object that says where it is; it ends with whoever started it.
"""
import argparse
import http.server
import json
import re
import sys
import threading
import time
import urllib.parse

TOKEN = "toy-secret-token"
FIELDS = {"first_name": 200, "last_name": 200, "email": 200, "phone": 200, "company": 200, "ref": 200}
lock = threading.Lock()
contacts = {}


def now():
    """Microseconds as text, never the same twice."""
    now.last = max(getattr(now, "last", 0) + 1000, time.time_ns() // 1_000_000 * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now.last // 1_000_000)) + f".{now.last % 1_000_000 // 1000:03d}Z"


def refusal(values, own_id=None):
    """What is wrong with these values, or None."""
    for name, value in values.items():
        if name not in FIELDS:
            return {"code": "UNKNOWN", "field": name, "message": f"there is no field {name}"}
        if value is not None and not isinstance(value, str):
            return {"code": "NOT_TEXT", "field": name, "message": f"{name} is not text"}
        if value and len(value) > FIELDS[name]:
            return {"code": "TOO_LONG", "field": name, "message": f"{name} is too long"}
    ref = values.get("ref")
    if ref and any(c["ref"] == ref and c["id"] != own_id and not c["deleted"] for c in contacts.values()):
        return {"code": "DUPLICATE", "field": "ref", "message": "another contact has this ref"}
    return None


def change(contact, values):
    contact.update(values)
    contact["updated_at"] = now()
    return contact


def create(values):
    at = now()
    contact = {**dict.fromkeys(FIELDS), "id": str(len(contacts) + 1), "created_at": at, "deleted": False, **values}
    contacts[contact["id"]] = contact
    contact["updated_at"] = at
    return contact


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a client that goes away in the middle is no news: tieline-sdk check does that


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def fail(self, status, code, message, field=None):
        self.answer(status, {"error": {"code": code, "message": message, "field": field}})

    def list(self, query):
        since, after = query.get("since", ""), int(query.get("after", "0"))
        rows = sorted(contacts.values(), key=lambda c: (c["updated_at"], int(c["id"])))
        rows = [c for c in rows if (c["updated_at"], int(c["id"])) > (since, after)]
        limit = int(query.get("limit", "50"))
        self.answer(200, {"contacts": rows[:limit], "more": len(rows) > limit})

    def one(self, contact):
        if contact is None or contact["deleted"]:
            self.fail(404, "NOT_FOUND", "no contact has this id")
            return
        body = self.body() if self.command == "PATCH" else {}
        wrong = refusal(body, contact["id"])
        if wrong is None and "last_name" in body and not body["last_name"]:
            wrong = {"code": "MISSING", "field": "last_name", "message": "a contact needs a last name"}
        if wrong:
            self.answer(422, {"error": wrong})
        elif self.command == "DELETE":
            change(contact, {"deleted": True})
            self.answer(204)
        else:
            self.answer(200, change(contact, body) if body else contact)

    def body(self):
        return json.loads(self.data or b"{}")

    def handle_any(self):
        self.data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, text = self.path.partition("?")
        match = re.fullmatch(r"/toy/contacts(?:/([^/]+))?", path)
        if self.headers.get("Authorization") != "Bearer " + TOKEN:
            self.fail(401, "UNAUTHORIZED", "this token is not valid")
        elif not match:
            self.fail(404, "NOT_FOUND", "no such path")
        else:
            with lock:
                self.serve(match[1], dict(urllib.parse.parse_qsl(text)))

    def serve(self, id, query):
        if id:
            self.one(contacts.get(urllib.parse.unquote(id)))
        elif self.command == "GET":
            self.list(query)
        elif self.command == "POST":
            values = self.body()
            wrong = refusal(values)
            if not wrong and not values.get("last_name"):
                wrong = {"code": "MISSING", "field": "last_name", "message": "a contact needs a last name"}
            self.answer(422, {"error": wrong}) if wrong else self.answer(201, create(values))
        else:
            self.fail(405, "METHOD", "not here")

    do_GET = do_POST = do_PATCH = do_DELETE = handle_any

    def log_message(self, *_):
        pass


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--contacts", type=int, default=25)
    given = arguments.parse_args()
    for n in range(given.contacts):
        create({"first_name": "Ada", "last_name": f"Example {n + 1}", "email": f"ada{n + 1}@example.org"})
    server = Server(("127.0.0.1", given.port), Handler)
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}", "token": TOKEN}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
