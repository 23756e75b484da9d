#!/usr/bin/env python3
"""A fake API for rest.so: people and companies, in each of the ways such APIs go on from page to page and sign in. It is
strict: what the real one would refuse (an unknown parameter, a page too large, a wrong header) it refuses.

Usage: vendor.py [--paging page|offset|cursor|url|link] [--auth none|bearer|basic|header] [--people N]
Its first line of output is one JSON object that says where it is; it ends with whoever started it.
"""
import argparse
import base64
import http.server
import json
import re
import threading
import time
import urllib.parse

KEY, USER, PASSWORD, MAX_PAGE = "rest-secret-key", "robot", "pass:word", 50
FIELDS = {"people": {"firstName", "lastName", "contact.mail", "contact.phones.main", "address.home.city", "companyId", "ref"},
          "companies": {"title", "web", "ref"}}
NEEDED = {"people": "lastName", "companies": "title"}
lock = threading.RLock()
tables = {"people": {}, "companies": {}}
given = None


def now():
    """In whole seconds, as many APIs have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def flat(values, prefix=""):
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, prefix + name + ".")
        else:
            yield prefix + name, value


def merge(into, values):
    for name, value in values.items():
        if isinstance(value, dict):
            into[name] = into.get(name) or {}
            merge(into[name], value)
        else:
            into[name] = value


def refusal(table, values, own=None):
    for name, value in flat(values):
        if name not in FIELDS[table]:
            return {"code": "unknown_field", "field": name, "message": f"there is no field {name}"}
        if value is not None and not isinstance(value, str):
            return {"code": "not_text", "field": name, "message": f"{name} is not text"}
        if value and len(value) > 120:
            return {"code": "too_long", "field": name, "message": f"{name} is longer than 120 characters"}
    if (own is None or NEEDED[table] in values) and not values.get(NEEDED[table]):
        return {"code": "blank", "field": NEEDED[table], "message": f"{NEEDED[table]} can't be blank"}
    ref = values.get("ref")
    if ref and any(r["ref"] == ref and r["id"] != own and not r["removedAt"] for r in tables[table].values()):
        return {"code": "taken", "field": "ref", "message": "ref has already been taken"}
    return None


def create(table, values):
    blank = {"people": {"contact": {"mail": None, "phones": {"main": None}}, "address": None,
                        "firstName": None, "companyId": None},
             "companies": {"web": None}}[table]
    row = {"id": len(tables[table]) + 1, "ref": None, "removedAt": None, "changedAt": now(), "madeAt": now(), **blank}
    merge(row, values)
    tables[table][row["id"]] = row
    return row


class Refused(Exception):
    pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=None, **headers):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status, code, message):
        self.answer(status, {"errors": [{"code": code, "message": message}]})
        raise Refused

    def signed_in(self):
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        want = {"none": ("Authorization", None), "bearer": ("Authorization", "Bearer " + KEY),
                "basic": ("Authorization", "Basic " + basic), "header": ("X-Key", KEY)}[given.auth]
        return self.headers.get(want[0]) == want[1]

    def list(self, table, query):
        """One page; the parameters that are not known are refused, as are pages over the limit."""
        known = {"sort", "per_page", "changed_since", *FIELDS[table],
                 {"page": "page", "offset": "offset", "cursor": "cursor", "url": "cursor", "link": "page"}[given.paging]}
        unknown = set(query) - known
        if unknown:
            self.refuse(400, "bad_parameter", f"unknown parameter {min(unknown)}")
        size = int(query.get("per_page", MAX_PAGE))
        if not 0 < size <= MAX_PAGE:
            self.refuse(400, "bad_parameter", f"per_page is 1 to {MAX_PAGE}")
        rows = sorted(tables[table].values(), key=lambda r: r["id"])
        since = query.get("changed_since")
        if since is not None:
            rows = [r for r in rows if r["changedAt"] >= re.sub(r"\.\d+Z$", "Z", since)]
        else:
            rows = [r for r in rows if not r["removedAt"]]
        for name in FIELDS[table] & set(query):
            rows = [r for r in rows if (dict(flat(r)).get(name) or "").lower() == query[name].lower()]
        if given.paging in ("page", "link"):
            first = (int(query.get("page", "1")) - 1) * size
        elif given.paging == "offset":
            first = int(query.get("offset", "0"))
        else:
            first = sum(r["id"] <= int(query.get("cursor", "0")) for r in rows)
        page, more = rows[first:first + size], len(rows) > first + size
        self.page(query, page, more, len(rows))

    def page(self, query, rows, more, total):
        at = lambda **change: f"{self.path.partition('?')[0]}?" + urllib.parse.urlencode({**query, **change})
        here = f"http://{self.headers['Host']}"
        if given.paging == "link":
            number = int(query.get("page", "1"))
            links = [f'<{here}{at(page=1)}>; rel="first"'] + ([f'<{here}{at(page=number + 1)}>; rel="next"'] if more else [])
            self.answer(200, rows, Link=", ".join(links))
            return
        body = {"data": rows, "meta": {"total": total}}
        if given.paging == "offset":
            body["meta"]["more"] = more
        if given.paging in ("cursor", "url"):
            cursor = str(rows[-1]["id"]) if more else None
            body["meta"]["next"] = cursor and (here + at(cursor=cursor) if given.paging == "url" else cursor)
        self.answer(200, body)

    def wrapped(self, row):
        return row if given.paging == "link" else {"data": row}

    def written(self, body):
        if given.paging == "link":
            return body
        if set(body) != {"data"}:
            self.refuse(400, "bad_body", "a record is written inside of data")
        return body["data"]

    def one(self, table, row, body):
        if row is None or row["removedAt"]:
            self.refuse(404, "not_found", "no such record")
        if self.command == "GET":
            self.answer(200, self.wrapped(row))
        elif self.command == "DELETE":
            row["removedAt"] = row["changedAt"] = now()
            self.answer(204)
        elif self.command == "PATCH":
            values = self.written(body)
            wrong = refusal(table, values, row["id"])
            if not wrong:
                merge(row, values)
                row["changedAt"] = now()
            self.answer(422 if wrong else 200, {"errors": [wrong]} if wrong else self.wrapped(row))
        else:
            self.refuse(405, "method", "not here")

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, text = self.path.partition("?")
        match = re.fullmatch(r"/v2/(people|companies)(?:/(\d+))?", path)
        if not self.signed_in():
            self.refuse(401, "unauthorized", "the key is not valid")
        if self.headers.get("Accept") != "application/json" or self.headers.get("X-Version") != "2":
            self.refuse(406, "not_acceptable", "say Accept: application/json and X-Version: 2")
        if not match:
            self.refuse(404, "not_found", "no such path")
        table, id = match[1], match[2]
        body = json.loads(body) if body else {}
        if id:
            self.one(table, tables[table].get(int(id)), body)
        elif self.command == "GET":
            self.list(table, dict(urllib.parse.parse_qsl(text)))
        elif self.command == "POST":
            values = self.written(body)
            wrong = refusal(table, values)
            if wrong:
                self.answer(422, {"errors": [wrong]})
            else:
                row = create(table, values)
                bare = given.paging == "offset"  # some only say where the new record is
                self.answer(201, None if bare else self.wrapped(row), Location=f"/v2/{table}/{row['id']}")
        else:
            self.refuse(405, "method", "not here")

    def handle_any(self):
        with lock:
            try:
                self.serve()
            except Refused:
                pass

    do_GET = do_POST = do_PATCH = do_DELETE = handle_any

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a client that goes away in the middle is no news


def main():
    global given
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--paging", default="cursor", choices=["page", "offset", "cursor", "url", "link"])
    arguments.add_argument("--auth", default="header", choices=["none", "bearer", "basic", "header"])
    arguments.add_argument("--people", type=int, default=45)
    given = arguments.parse_args()
    for n in range(1, 26):
        create("companies", {"title": f"Company {n}"})
    for n in range(1, given.people + 1):
        create("people", {"firstName": "Ada", "lastName": f"Example {n}", "contact": {"mail": f"ada{n}@example.org"},
                          "companyId": str(n % 25 + 1)})
    server = Server(("127.0.0.1", 0), Handler)
    print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}/v2", "key": KEY, "user": USER, "password": PASSWORD}),
          flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
