#!/usr/bin/python3
"""What an operator writes by hand: requests, json and sqlite3; 12 fields a record, mapping and history kept.
usage: script.py BASE TOTAL PAGE DB"""
import hashlib, json, os, sqlite3, sys, time
import requests
base, total, page, dbp = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
for s in ("", "-wal", "-shm"):
    if os.path.exists(dbp + s):
        os.unlink(dbp + s)
db = sqlite3.connect(dbp, isolation_level=None)
db.execute("PRAGMA journal_mode=WAL"); db.execute("PRAGMA synchronous=NORMAL")
db.executescript("CREATE TABLE map(id INTEGER PRIMARY KEY, ent INTEGER, lid TEXT, rid TEXT, fp TEXT, ts INTEGER);"
                 "CREATE UNIQUE INDEX ml ON map(ent,lid); CREATE UNIQUE INDEX mr ON map(ent,rid);"
                 "CREATE TABLE history(id INTEGER PRIMARY KEY, ts INTEGER, map INTEGER, op INTEGER, detail TEXT);")
F = dict(id="Desk_Id", firstName="First_Name", lastName="Last_Name", email="Email", phone="Phone", mobile="Mobile",
         title="Title", city="Mailing_City", country="Mailing_Country", description="Description",
         modifiedTime="Modified_Time", accountId="Account_Name")
s = requests.Session()
t0 = time.monotonic()
done = 0
for frm in range(0, total, page):
    data = s.get(f"{base}/page?from={frm}").json()["data"]
    out, keep = [], []
    for r in data:
        o = {F[k]: r.get(k) for k in F}
        fp = hashlib.sha1(json.dumps(o, sort_keys=True).encode()).hexdigest()
        m = db.execute("SELECT rid,fp FROM map WHERE ent=1 AND lid=?", (r["id"],)).fetchone()
        if m and m[1] == fp:
            continue
        out.append(o); keep.append((r["id"], fp))
    res = s.post(f"{base}/batch?n={len(out)}", json=out).json()["data"]
    now = int(time.time())
    db.execute("BEGIN")
    db.executemany("INSERT INTO map(ent,lid,rid,fp,ts) VALUES(1,?,?,?,?) "
                   "ON CONFLICT(ent,lid) DO UPDATE SET fp=excluded.fp",
                   [(k, x["details"]["id"], fp, now) for (k, fp), x in zip(keep, res)])
    db.executemany("INSERT INTO history(ts,map,op,detail) VALUES(?,0,1,?)",
                   [(now, f"contact {k} -> {x['details']['id']}") for (k, _), x in zip(keep, res)])
    db.execute("COMMIT")
    done += len(out)
w = time.monotonic() - t0
print(f"script: {done} records, {done / w:.0f}/s inside", file=sys.stderr)
