"""Makes gRPC calls over mutual TLS and tells what came, in the words of Google's own error messages.

    grpc_calls.py --address HOST:PORT --ca FILE --cert FILE --key FILE < calls.json

calls.json is [{"path": "/package.Service/Method", "request": base64}]. The answer is a list in the same order, of
{"status", "message", "code", "details": {"ErrorInfo": {...}, ...}}: `code` is the trailer of that name, `details` what
grpcio-status finds in the trailer grpc-status-details-bin.
"""

import argparse
import json
import sys
from base64 import b64decode
from pathlib import Path

import grpc
from google.protobuf.json_format import MessageToDict
from google.rpc import error_details_pb2
from grpc_status import rpc_status

TIMEOUT_S = 10


def open_channel(args: argparse.Namespace) -> grpc.Channel:
    credentials = grpc.ssl_channel_credentials(args.ca.read_bytes(), args.key.read_bytes(), args.cert.read_bytes())
    return grpc.secure_channel(args.address, credentials)


def call(channel: grpc.Channel, path: str, request: bytes) -> dict:
    try:
        channel.unary_unary(path)(request, timeout=TIMEOUT_S)
        return {"status": "OK"}
    except grpc.RpcError as refusal:
        trailers = {key: value for key, value in refusal.trailing_metadata() or ()}
        return {
            "status": refusal.code().name,
            "message": refusal.details(),
            "code": trailers.get("concordat-code"),
            "details": details_of(refusal),
        }


def details_of(refusal: grpc.RpcError) -> dict:
    # refuses a status or message that is not the call's own
    status = rpc_status.from_call(refusal)
    found = {}
    for packed in status.details if status else ():
        name = packed.type_url.rpartition(".")[2]
        message = getattr(error_details_pb2, name)()
        assert packed.Unpack(message), packed.type_url
        found[name] = MessageToDict(message)
    return found


def add_channel_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--address", required=True)
    for name in ("ca", "cert", "key"):
        parser.add_argument(f"--{name}", type=Path, required=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_channel_options(parser)
    args = parser.parse_args()
    with open_channel(args) as channel:
        calls = json.load(sys.stdin)
        json.dump([call(channel, one["path"], b64decode(one["request"])) for one in calls], sys.stdout)


if __name__ == "__main__":
    main()
