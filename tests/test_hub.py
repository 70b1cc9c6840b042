"""Models and data sets to the Hub and back: by a folder, and by a stand-in of the service's API."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import mien
from mien import hub
from mien.data.manifest import Record, write_manifest
from mien.errors import AssetMissing, ConfigError, DataError, WeightsError
from mien.zoo.records import records

pytest.importorskip("huggingface_hub", reason="needs mien[hub]")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SETS = [{"name": "mine", "licence": "CC-BY-4.0", "source": "https://example.org/faces"}]


class Service:
    """As much of the Hub's API as a model and a data set need; files in memory."""

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, bytes]] = {}
        self.asked: list[str] = []
        self.private: dict[str, bool] = {}
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                service.asked.append(f"POST {self.path}")
                self.answer(*service.post(self.path.partition("?")[0], body, self.host()))

            def do_GET(self) -> None:
                service.asked.append(f"GET {self.path}")
                self.answer(*service.get(self.path.partition("?")[0]))

            def do_HEAD(self) -> None:
                self.answer(*service.get(self.path.partition("?")[0]), head=True)

            def host(self) -> str:
                return f"http://{self.headers['Host']}"

            def answer(self, status: int, data: Any, *, head: bool = False) -> None:
                raw = data if isinstance(data, bytes) else json.dumps(data).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(raw)))
                self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("ETag", f'"{hashlib.sha1(raw).hexdigest()}"')
                if status == 404:
                    self.send_header("X-Error-Code", "RepoNotFound")
                self.end_headers()
                if not head:
                    self.wfile.write(raw)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def post(self, path: str, body: bytes, host: str) -> tuple[int, Any]:
        if path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}"
            self.repos.setdefault(name, {})
            self.private[name] = asked.get("private", asked.get("visibility") == "private")
            return 200, {"url": f"{host}/{name}", "name": name, "id": name}
        if path == "/api/validate-yaml":  # of a card
            return 200, {"errors": [], "warnings": []}
        _, _, _, owner, name, what, *_ = path.split("/")
        files = self.repos[f"{owner}/{name}"]
        if what == "preupload":
            wanted = json.loads(body)["files"]
            kinds = [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False} for f in wanted
            ]
            return 200, {"files": kinds}
        assert what == "commit", path
        for line in body.decode().splitlines():
            entry = json.loads(line)
            if entry["key"] == "file":
                files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
        return 200, {"commitUrl": f"{host}/{owner}/{name}/commit/{COMMIT}", "commitOid": COMMIT}

    def get(self, path: str) -> tuple[int, Any]:
        for name, files in self.repos.items():
            if path.startswith(f"/api/models/{name}/tree/"):
                return 200, [
                    {"type": "file", "path": f, "size": len(d), "oid": hashlib.sha1(d).hexdigest()}
                    for f, d in files.items()
                ]
            if path.startswith(f"/api/models/{name}"):
                names = [{"rfilename": f, "size": len(d)} for f, d in files.items()]
                return 200, {"id": name, "sha": COMMIT, "siblings": names, "private": True}
            if path.startswith(f"/{name}/resolve/"):
                file = path.split("/", 5)[5]
                return (200, files[file]) if file in files else (404, {})
        return 404, {"error": "Repository not found"}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    service = Service()
    yield service
    service.server.shutdown()


def same(first: object, second: object) -> bool:
    assert isinstance(first, torch.nn.Module)
    assert isinstance(second, torch.nn.Module)
    one, two = first.state_dict(), second.state_dict()
    return one.keys() == two.keys() and all(torch.equal(v, two[k]) for k, v in one.items())


def test_a_folder_and_back(tmp_path: Path) -> None:
    folder = hub.save_pretrained(tmp_path / "model", "auswap")
    assert sorted(p.name for p in folder.iterdir()) == ["README.md", "config.json", hub.WEIGHTS]
    method, shipped = hub.from_pretrained(folder, head="own"), mien.load("auswap", head="own")
    assert same(method, shipped)
    assert method.strengths == shipped.strengths
    assert method.drawn_by == shipped.drawn_by


def test_a_card_says_licence_and_lineage(tmp_path: Path) -> None:
    text = (hub.save_pretrained(tmp_path, "mtss") / "README.md").read_text(encoding="utf-8")
    _, front, body = text.split("---\n", 2)
    said = yaml.safe_load(front)
    assert (said["license"], said["library_name"]) == ("apache-2.0", "mien")
    facts = records()["mtss"].facts
    assert all(s["name"] in body and s["licence"] in body for s in facts["training_sets"])
    assert facts["command"] in body
    assert records()["mtss"].sha256 in body


def test_weights_of_ones_own_need_a_licence_and_a_lineage(tmp_path: Path) -> None:
    weights = records()["mtss"].path
    with pytest.raises(ConfigError, match="licence and training_sets"):
        hub.save_pretrained(tmp_path / "a", "mtss", weights)
    assert not (tmp_path / "a").exists()
    with pytest.raises(WeightsError, match="holds no auswap weights"):
        hub.save_pretrained(tmp_path / "a", "auswap", weights, licence="MIT", training_sets=SETS)
    folder = hub.save_pretrained(
        tmp_path / "b", "mtss", weights, licence="My terms: 'ask'", training_sets=SETS
    )
    said = yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    assert (said["license"], said["license_name"]) == ("other", "My terms: 'ask'")


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssetMissing, match=r"no config\.json"):
        hub.from_pretrained(tmp_path)
    folder = hub.save_pretrained(tmp_path / "m", "mtss")
    config = json.loads((folder / "config.json").read_text())
    for change, error, said in (
        ({"method": "paint"}, ConfigError, "unknown method"),
        ({"method": 7}, ConfigError, "does not describe"),
        ({"sha256": "0" * 64}, WeightsError, "SHA-256"),
        ({"method": "auswap"}, WeightsError, "holds no auswap"),
    ):
        (folder / "config.json").write_text(json.dumps(config | change))
        with pytest.raises(error, match=said):
            hub.from_pretrained(folder)
    (folder / "config.json").write_text("[")
    with pytest.raises(ConfigError, match="does not describe"):
        hub.from_pretrained(folder)


@pytest.mark.parametrize("nodes", [[10**400], [float("nan")], ["a"], 1])
def test_strengths_of_a_record_are_numbers(nodes: object) -> None:
    assert hub._strengths({"strengths": {"any": [0.3, 1]}}) == {"any": (0.3, 1.0)}
    with pytest.raises(WeightsError, match="are no numbers"):
        hub._strengths({"strengths": {"any": nodes}})


def test_to_the_service_and_back(service: Service, tmp_path: Path) -> None:
    url = hub.push_to_hub("me/mtss", "mtss", endpoint=service.url, token="hf_none")
    assert url == f"{service.url}/me/mtss/commit/{COMMIT}"
    assert service.private["me/mtss"] is True
    files = service.repos["me/mtss"]
    assert sorted(files) == ["README.md", "config.json", hub.WEIGHTS]
    assert files[hub.WEIGHTS] == records()["mtss"].path.read_bytes()
    method = hub.from_pretrained("me/mtss", endpoint=service.url, cache_dir=tmp_path)
    assert same(method, mien.load("mtss"))
    # and from the cache, when the service is gone
    service.repos.clear()
    again = hub.from_pretrained(
        "me/mtss", revision=COMMIT, cache_dir=tmp_path, local_files_only=True
    )
    assert same(method, again)


def test_what_the_service_does_not_have(service: Service, tmp_path: Path) -> None:
    with pytest.raises(AssetMissing, match="me/none"):
        hub.from_pretrained("me/none", endpoint=service.url, cache_dir=tmp_path)
    with pytest.raises(ConfigError, match="no name of a repository"):
        hub.from_pretrained("not a name", endpoint=service.url, cache_dir=tmp_path)
    with socket.socket() as free:  # its port is nobody's a moment later
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(AssetMissing, match="me/mtss"):
        hub.push_to_hub("me/mtss", "mtss", endpoint=nobody, token="hf_none")


def people(folder: Path, person: str) -> Path:
    (folder / "00000").mkdir(parents=True)
    (folder / "00000" / "happy.png").write_bytes(b"a picture")
    row = Record("00000/happy.png", person, "happy", None, None, "CC-BY-4.0", "mixed", "train")
    write_manifest(folder, [row])
    return folder


def test_invented_people_and_nobody_else(service: Service, tmp_path: Path) -> None:
    made = people(tmp_path / "made", "nobody/a-1-00000")
    hub.push_people("me/people", made, endpoint=service.url, token="hf_none")
    files = service.repos["me/people"]
    assert sorted(files) == ["00000/happy.png", "README.md", "metadata.jsonl"]
    said = yaml.safe_load(files["README.md"].decode().split("---\n")[1])
    assert said["license"] == "cc-by-4.0"
    asked = len(service.asked)
    real = people(tmp_path / "real", "congress/A000022")
    with pytest.raises(DataError, match="shows congress/A000022"):
        hub.push_people("me/people", real, endpoint=service.url, token="hf_none")
    assert len(service.asked) == asked
