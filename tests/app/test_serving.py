"""The service as processes: what dies comes back, what is told to end ends politely, nobody outlives the first."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from app import family
from tests.app.hand_made import saved
from tests.app.served import Reply, Served, patiently, serving
from tests.source import ROOT


def counted(service: Served, name: str) -> dict[tuple[str, ...], float]:
    text = service.get("/metrics").body.decode()
    found = [sample for each in text_string_to_metric_families(text) for sample in each.samples]
    return {tuple(value for _, value in sorted(s.labels.items())): s.value for s in found if s.name == name}


def test_a_service_lives_and_ends(tmp_path: Path) -> None:
    """One service for all of it, since each takes seconds to start."""
    made, run = saved(tmp_path)
    with serving(made.path, tmp_path / "log", "--workers", "2", "--job-workers", "1", drain_s=2, log="json") as service:
        patiently(lambda: len(service.members()) == 3)
        both_processes_count_together(service)
        whoever_dies_comes_back(service)
        it_ends_when_told(service, run.run_id)


def both_processes_count_together(service: Served) -> None:
    for _ in range(40):
        assert service.get("/healthz").status == 200
    assert counted(service, "renxing_requests_total")["GET", "/healthz", "200"] == 40
    assert set(counted(service, "renxing_memory_bytes")) == {("server-1",), ("server-2",), ("worker-1",)}
    assert service.get("/readyz").json()["parts"][-1] == {"part": "workers", "ok": True, "said": "1 of 1 run"}


def whoever_dies_comes_back(service: Served) -> None:
    before = service.members()
    for name in ("server-2", "worker-1"):
        os.kill(before[name], signal.SIGKILL)
    assert service.get("/healthz").status == 200  # the other one answers

    def back() -> bool:
        now = service.members()
        return len(now) == 3 and not {before["server-2"], before["worker-1"]} & set(now.values())

    patiently(back)
    assert service.members()["server-1"] == before["server-1"]
    assert counted(service, "renxing_requests_total")["GET", "/healthz", "200"] >= 41  # counts outlive who counted


def it_ends_when_told(service: Served, run_id: str) -> None:
    there = service.members()
    port = int(service.address.rstrip("/").rpartition(":")[2])
    under_way: list[Reply] = []
    slow = threading.Thread(target=lambda: under_way.append(slowly(port, f"/api/v1/runs/{run_id}")))
    slow.start()
    time.sleep(0.2)
    service.told(signal.SIGTERM)
    refused = patiently(lambda: (found := service.get("/readyz")).status == 503 and found)
    assert [fault["where"] for fault in refused.json()["faults"]] == ["service"]
    assert service.get(f"/api/v1/runs/{run_id}").status == 200  # it says so first, and answers meanwhile
    slow.join()
    assert under_way[0].status == 200 and under_way[0].json()["run_id"] == run_id
    assert service.ended() == 0
    assert not any(map(family.is_alive, there.values()))
    events = [line["event"] for line in service.lines()]
    assert "told to end by SIGTERM" in events and not any("in time" in event for event in events)
    assert not any("exception" in line for line in service.lines())


def slowly(port: int, path: str) -> Reply:
    """A request that is three seconds under way, from before the service is told to end until after it has drained."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n".encode())
        time.sleep(1.5)
        line.sendall(b"\r\n")
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return Reply(int(head.split()[1]), {}, body)


def test_nothing_is_left_of_a_service_that_was_killed(tmp_path: Path) -> None:
    made, _ = saved(tmp_path)
    with serving(made.path, tmp_path / "log", "--workers", "2", "--job-workers", "1") as service:
        there = patiently(lambda: len(service.members()) == 3 and service.members())
        port = int(service.address.rstrip("/").rpartition(":")[2])
        service.told(signal.SIGKILL)
        service.ended()
        patiently(lambda: not any(map(family.is_alive, there.values())))
        with socket.socket() as free:
            free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free.bind(("127.0.0.1", port))


def test_two_services_share_a_workspace(tmp_path: Path) -> None:
    made, run = saved(tmp_path)
    with (
        serving(made.path, tmp_path / "a", "--job-workers", "0") as one,
        serving(made.path, tmp_path / "b", "--job-workers", "0") as other,
    ):
        for service in (one, other):
            assert service.get("/readyz").status == 200
            assert service.get(f"/api/v1/runs/{run.run_id}").json()["run_id"] == run.run_id
        one.told(signal.SIGINT)
        assert one.ended() == 0
        assert other.get("/readyz").status == 200


def test_a_workspace_that_cannot_be_had_is_refused_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "app.cli", "serve", "--workspace", str(tmp_path / "file"), "--port", "0"]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False, timeout=90
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("The workspace cannot be used") == 1 and "Traceback" not in done.stderr
