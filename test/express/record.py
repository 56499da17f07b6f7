#!/usr/bin/env python3
"""record.py FOLDER - asks Express what it answers, and writes table.json anew; FOLDER has node_modules with express@5 and cookie-parser.

Reasons for differences (the members "why" and "fsd") are kept where the request is the same."""
import json
import os
import sys

import asking
import probes


def main(folder):
    os.environ["FSD_EXPRESS"] = folder
    old = {json.dumps(row["request"]): row for row in json.loads(asking.TABLE.read_text())} if asking.TABLE.exists() else {}
    rows = []
    with asking.Express(asking.find_express()) as address:
        for request in probes.requests():
            row = {"request": list(request), "express": asking.ask(address, *request)}
            row |= {name: value for name, value in old.get(json.dumps(row["request"]), {}).items() if name in ("why", "fsd")}
            rows.append(row)
    asking.TABLE.write_text("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n")
    print(f"{len(rows)} requests, {sum('why' in row for row in rows)} deliberate differences")


if __name__ == "__main__":
    main(*sys.argv[1:])
