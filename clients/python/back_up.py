#!/usr/bin/python3
"""Backs a host up through the API of busyd and shows the log of the run while it grows.

An example for programs in other languages: it uses the proto files and a plain gRPC library, nothing else of BUSY.
It needs Debian's python3-grpcio, python3-protobuf, protobuf-compiler and libprotobuf-dev.

  back_up.py [--server unix:/run/busy/busyd.sock] HOST [auto|full|incremental]

A token is taken from BUSY_TOKEN. Exit codes: 0 a complete snapshot was made, 1 none was or the call was refused,
5 files are missing from it.
"""

import argparse
import importlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import uuid

import grpc

proto_directory = pathlib.Path(__file__).resolve().parents[2] / "proto"


def compile_contract(target):
    """Has protoc make Python messages of the proto files; services need none, since calls are made by their names."""
    files = [*proto_directory.glob("busy/v1/*.proto"), *proto_directory.glob("google/rpc/*.proto")]
    subprocess.run(["protoc", f"-I{proto_directory}", f"--python_out={target}", *map(str, files)], check=True)
    # Debian's protobuf has a package "google" too, which finds "google.rpc" only when it is told where to look.
    import google

    google.__path__.append(str(pathlib.Path(target) / "google"))
    sys.path.insert(0, str(target))


class Busy:
    """The calls that this example needs. A call that is refused raises grpc.RpcError."""

    def __init__(self, server):
        self.backup = importlib.import_module("busy.v1.backup_service_pb2")
        self.run = importlib.import_module("busy.v1.run_pb2")
        self.channel = grpc.insecure_channel(server)
        token = os.environ.get("BUSY_TOKEN")
        self.metadata = [("authorization", f"Bearer {token}")] if token else []

    def call(self, method, request):
        """One question, one answer."""
        return self._open(self.channel.unary_unary, method)(request, timeout=30, metadata=self.metadata)

    def stream(self, method, request):
        """One question, many answers."""
        return self._open(self.channel.unary_stream, method)(request, metadata=self.metadata)

    def _open(self, kind, method):
        answer = getattr(self.backup, f"{method}Response")
        return kind(
            f"/busy.v1.BackupService/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer.FromString,
        )


def start(busy, host, backup_type):
    """Queues the backup. With the same request_id a second try after a lost connection starts no second backup."""
    request = busy.backup.TriggerBackupRequest(
        host=host,
        type=busy.run.BackupType.Value(f"BACKUP_TYPE_{backup_type.upper()}"),
        request_id=str(uuid.uuid4()),
    )
    return busy.call("TriggerBackup", request).run


def follow(busy, run_id):
    """Prints every line of the log once, also when the connection is lost in between."""
    offset = 0
    while True:
        try:
            request = busy.backup.StreamLogsRequest(run_id=run_id, offset=offset, follow=True)
            for answer in busy.stream("StreamLogs", request):
                for line in answer.lines:
                    print(line, flush=True)
                offset = answer.next_offset
            return
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise
            time.sleep(1)


def reason_of(error):
    """The stable reason that every error of the API carries."""
    status_type = importlib.import_module("google.rpc.status_pb2").Status
    info_type = importlib.import_module("google.rpc.error_details_pb2").ErrorInfo
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_type.FromString(value).details:
                return info_type.FromString(detail.value).reason
    return error.code().name


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", default="unix:/run/busy/busyd.sock")
    parser.add_argument("host")
    parser.add_argument("type", nargs="?", default="auto", choices=["auto", "full", "incremental"])
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as generated:
        compile_contract(generated)
        busy = Busy(words.server)
        try:
            run_id = start(busy, words.host, words.type).id
            follow(busy, run_id)
            run = busy.call("GetRun", busy.backup.GetRunRequest(id=run_id)).run
        except grpc.RpcError as error:
            print(f"{reason_of(error)}: {error.details()}", file=sys.stderr)
            return 1
    state = busy.run.RunState.Name(run.state).removeprefix("RUN_STATE_")
    print(f"{state} {run.snapshot or run.error.message}")
    return {"SUCCEEDED": 0, "PARTIAL": 5}.get(state, 1)


if __name__ == "__main__":
    sys.exit(main())
