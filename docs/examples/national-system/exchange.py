"""A national system: it shares a REPORT, and keeps what others share in COPIES until withdrawn."""
import hashlib, json, os, secrets, sys, time, uuid
from pathlib import Path
import grpc

(folder, *report), now = map(Path, sys.argv[1:]), time.time_ns() // 1_000_000
wire, services = grpc.protos_and_services("concordat/node/v1/node.proto")  # under PYTHONPATH
ca, key, cert = (Path(os.environ[name]).read_bytes() for name in ("CA", "KEY", "CERT"))
channel = grpc.secure_channel(os.environ["NODE"], grpc.ssl_channel_credentials(ca, key, cert))
node = services.NationalServiceStub(channel)
def call(name, timeout=10, **fields):
    return getattr(node, name)(getattr(wire, f"{name}Request")(**fields), timeout=timeout)
me, case = {"system_id": "border-db"}, {"purpose": "border-control", "case_id": "EX-1"}
known = call("RegisterSystem", **me, kind="copy")
if report:
    own_id = str(uuid.UUID(int=now << 80 | 7 << 76 | 2 << 62 | secrets.randbits(62)))  # version 7
    schema = hashlib.sha256(Path("schemas/information-report.v1.avsc").read_bytes()).digest()
    made = {"schema_hash": schema, "collected_at_ms": now, "retain_until_ms": now + 30 * 86_400_000}
    content, facts = report[0].read_bytes(), json.loads(report[1].read_bytes())
    call("Publish", **facts, **made, event_id=own_id, content_json=content)
    print("published", own_id, flush=True)
for told in call("Subscribe", 3600, **me, **case, include_held=True, cursor=known.cursor):
    event, gone = {"origin": told.origin, "event_id": told.event_id}, told.kind == "WITHDRAWN"
    file = folder / f"{told.origin}-{told.event_id}"
    if gone:
        file.unlink(missing_ok=True)
    else:
        file.write_bytes(call("Read", **event, **case).sections[0].content_json)
    call("Acknowledge", **me, cursor=told.cursor, withdrawn=[event] if gone else [])
    print("deleted" if gone else "stored", told.event_id, flush=True)
