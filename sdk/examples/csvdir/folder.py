#!/usr/bin/env python3
"""Makes a folder of CSV files to try csvdir with, says where on one line of JSON, and removes it when it is ended."""
import csv
import json
import pathlib
import shutil
import signal
import sys
import tempfile

folder = pathlib.Path(tempfile.mkdtemp(prefix="csvdir-"))
with open(folder / "contact.csv", "w", newline="", encoding="utf-8-sig") as f:
    rows = csv.writer(f)
    rows.writerow(["id", "first_name", "last_name", "email", "phone", "remark"])
    for n in range(1, 46):
        rows.writerow([n, "Ada", f'Example "{n}", the\n{n}th', f"ada{n}@example.org", "", "a column that is left alone"])
with open(folder / "account.csv", "w", newline="", encoding="utf-8") as f:
    rows = csv.writer(f)
    rows.writerow(["name", "phone", "website", "industry"])
    rows.writerows([f"Company {n}", "", "", "Trade"] for n in range(1, 26))  # typed by a person: no ids yet
print(json.dumps({"dir": str(folder)}), flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
try:
    signal.pause()
finally:
    shutil.rmtree(folder, ignore_errors=True)
