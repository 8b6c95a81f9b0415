"""Finds out by reflection what a server serves, and whether it is healthy.

    reflect.py --address HOST:PORT --ca FILE --cert FILE --key FILE SERVICE

Prints {"services": [...], "methods": {name: [request, answer]} of SERVICE, "fields" of its first request, "health"}, or
{"refused": status} when the server tells nothing about itself.
"""

import argparse
import json
import sys

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from grpc_calls import add_channel_options, open_channel


def reflect(channel: grpc.Channel, service: str) -> dict:
    database = ProtoReflectionDescriptorDatabase(channel)
    found = DescriptorPool(database).FindServiceByName(service)
    health = health_pb2_grpc.HealthStub(channel)
    watched = next(health.Watch(health_pb2.HealthCheckRequest(service=service)))
    return {
        "services": sorted(database.get_services()),
        "methods": {one.name: [one.input_type.full_name, one.output_type.full_name] for one in found.methods},
        "fields": [field.name for field in found.methods[0].input_type.fields],
        "health": health_pb2.HealthCheckResponse.ServingStatus.Name(watched.status),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_channel_options(parser)
    parser.add_argument("service")
    args = parser.parse_args()
    with open_channel(args) as channel:
        try:
            answer = reflect(channel, args.service)
        except grpc.RpcError as refusal:
            answer = {"refused": refusal.code().name}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
