"""Load on the HTTP API: some clients that ask without pause, for a while, on this machine.

    python benchmarks/load.py --seconds 120 -o benchmarks/results/load.json

It starts `mien serve` by itself, sends the sample faces with one expression after the other, and
says how long an answer took (p50, p99), what was answered, and whether memory stays: the median of
the server's resident memory in the last quarter of the time over that in the second one (the first
is warming up). Exit code 1 if anything but 200 and 429 was answered, or memory grew by over 5 %.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import platform
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np

from mien.facs import EMOTIONS
from mien.zoo.samples import samples

GROWTH = 1.05
FINE = {200, 429}


class Server:
    """`mien serve` on a free port of 127.0.0.1."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "mien.cli.main", "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(command)

    def wait(self, patience: float = 120) -> None:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.2)
        raise SystemExit("the server does not start")

    def memory(self) -> float:
        """Resident memory, MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def work(self) -> float:
        """Seconds of CPU that it used so far, which a busy machine does not change."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def form(image: bytes, to: str) -> tuple[bytes, dict[str, str]]:
    """A multipart body and its headers."""
    edge = b"mien-load-boundary"
    fields = [
        b'--%s\r\nContent-Disposition: form-data; name="to"\r\n\r\n%s\r\n' % (edge, to.encode()),
        b"--%s\r\nContent-Disposition: form-data; "
        b'name="image"; filename="a.jpg"\r\n\r\n%s\r\n' % (edge, image),
        b"--%s--\r\n" % edge,
    ]
    kind = f"multipart/form-data; boundary={edge.decode()}"
    return b"".join(fields), {"Content-Type": kind}


def client(port: int, start: int, end: float, told: list[tuple[int, float]]) -> None:
    """Ask until `end`, one request after the other; status and seconds of each."""
    images = [path.read_bytes() for path in samples().values()]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    for number in itertools.count(start):
        if time.monotonic() > end:
            break
        body, headers = form(images[number % len(images)], EMOTIONS[number % len(EMOTIONS)])
        began = time.monotonic()
        connection.request("POST", "/v1/edit", body, headers)
        answer = connection.getresponse()
        answer.read()
        told.append((answer.status, time.monotonic() - began))
        if answer.status == 429:
            time.sleep(0.2)


def measure(server: Server, clients: int, seconds: float) -> dict[str, object]:
    """The numbers of one run."""
    told: list[tuple[int, float]] = []
    before, end = server.work(), time.monotonic() + seconds
    threads = [
        threading.Thread(target=client, args=(server.port, 7 * i, end, told))
        for i in range(clients)
    ]
    for thread in threads:
        thread.start()
    memory = []
    while time.monotonic() < end:
        time.sleep(min(0.5, seconds / 20))
        memory.append(server.memory())
    for thread in threads:
        thread.join()
    spent = np.array([s for status, s in told if status == 200])
    quarters = np.array_split(np.array(memory), 4)
    second, last = float(np.median(quarters[1])), float(np.median(quarters[3]))
    return {
        "clients": clients,
        "seconds": seconds,
        "answers": {str(k): n for k, n in sorted(Counter(s for s, _ in told).items())},
        "edits_per_second": round(len(spent) / seconds, 2),
        "cpu_ms_per_edit": round((server.work() - before) / max(1, len(spent)) * 1e3),
        "p50_ms": round(float(np.percentile(spent, 50)) * 1e3),
        "p99_ms": round(float(np.percentile(spent, 99)) * 1e3),
        "memory_mb": {"second_quarter": round(second), "last_quarter": round(last)},
        "memory_growth": round(last / second, 4),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "load_average": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("-o", "--out", type=Path, help="JSON file to write")
    asked = parser.parse_args()
    server = Server()
    try:
        server.wait()
        found = measure(server, asked.clients, asked.seconds)
    finally:
        server.process.terminate()
        server.process.wait(30)
    text = json.dumps(found, indent=1)
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n")
    failed = {int(status) for status in found["answers"]} - FINE  # type: ignore[attr-defined]
    grown = found["memory_growth"] > GROWTH  # type: ignore[operator]
    if failed or grown:
        raise SystemExit(f"not fine: answers {sorted(failed)}, memory x {found['memory_growth']}")


if __name__ == "__main__":
    main()
