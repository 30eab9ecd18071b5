"""Adds up a check's gifts and its ledger again: python3 examples/recompute.py .tidings/check/<run>.ndjson"""
import collections
import json
import sys

gifts_file = sys.argv[1]
ledger_file = gifts_file.replace(".ndjson", ".ledger.ndjson")
accepted, booked = collections.Counter(), collections.Counter()
accepted_ids, booked_lines = set(), collections.Counter()

for line in open(gifts_file, encoding="utf-8"):
    gift = json.loads(line)
    accepted[gift["streamerId"]] += gift["amountMinor"]
    accepted_ids.add(gift["giftId"])
for line in open(ledger_file, encoding="utf-8"):
    entry = json.loads(line)
    booked[entry["streamerId"]] += entry["amountMinor"]
    booked_lines[entry["giftId"], entry["account"]] += 1

once = {(gift, account): 1 for gift in accepted_ids for account in ("streamer", "platform")}
same = accepted == booked and dict(booked_lines) == once
for streamer in sorted(accepted | booked):
    print(f"{streamer:20} accepted {accepted[streamer]:>12}  booked {booked[streamer]:>12}")
print("ok" if same else "differs")
sys.exit(0 if same else 1)
