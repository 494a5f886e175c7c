"""What well-known libraries read from their own files, kept: a component has no files, and the libraries are to stay as they are."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

_KINDS = ("service-2", "paginators-1", "waiters-2", "waiters-1", "endpoint-rule-set-1", "service-2.sdk-extras", "resources-1")


def prepare(texts: Iterable[str]) -> None:
    """Adapts the libraries that are loaded; ``texts`` are those in the app's sources, which name the AWS services it uses."""
    if "certifi" in sys.modules:
        sys.modules["certifi"].where()  # Remembered from the first call on.
    if "requests.adapters" in sys.modules:
        _prepare_requests(sys.modules["requests.adapters"].HTTPAdapter)
    if "botocore.loaders" in sys.modules:
        Models(sys.modules["botocore.loaders"]).keep(texts)


def _prepare_requests(adapter: Any) -> None:
    """Keeps requests from looking for its file of authorities, which are the host's to know."""
    verify = adapter.cert_verify

    def cert_verify(self: Any, conn: Any, url: str, verify_with: Any, cert: Any) -> None:
        verify(self, conn, url, verify_with if isinstance(verify_with, str) else False, cert)
        if verify_with is True:
            conn.cert_reqs = "CERT_REQUIRED"

    adapter.cert_verify = cert_verify


class Models:
    """botocore's descriptions of services, as its loader would read them."""

    def __init__(self, loaders: Any) -> None:
        self._loaders = loaders
        self._reader = loaders.JSONFileLoader()
        self._kept: dict[str, Any] = {}

    def keep(self, texts: Iterable[str]) -> None:
        """Keeps what is common to all services, and those that ``texts`` name."""
        for folder in self._folders():
            services = set(os.listdir(folder))
            for name in services:
                stem, ending, _ = name.partition(".json")
                if ending:
                    self._read(os.path.join(folder, stem))
            for service in services.intersection(texts):
                self._keep_service(os.path.join(folder, service))
        if self._kept:
            self._install()

    def _folders(self) -> list[str]:
        packages = [sys.modules[name] for name in ("botocore", "boto3") if name in sys.modules]
        folders = [os.path.join(os.path.dirname(one.__file__ or ""), "data") for one in packages]
        return [folder for folder in folders if os.path.isdir(folder)]

    def _keep_service(self, folder: str) -> None:
        if os.path.isdir(folder):
            for version in os.listdir(folder):
                for kind in _KINDS:
                    self._read(os.path.join(folder, version, kind))

    def _read(self, path: str) -> None:
        found = self._reader.load_file(path)
        if found is not None:
            self._kept[path] = found

    def _install(self) -> None:
        loaders, kept = self._loaders, self._kept
        exists, load_file = loaders.JSONFileLoader.exists, loaders.JSONFileLoader.load_file
        loader = loaders.Loader
        services, versions, with_path = loader.list_available_services, loader.list_api_versions, loader.load_data_with_path

        def list_services(self: Any, type_name: str) -> list[str]:
            found = {path.split("/")[-3] for path in kept if path.endswith(f"/{type_name}")}
            return sorted(found.union(services(self, type_name)))

        def list_versions(self: Any, service_name: str, type_name: str) -> list[str]:
            found = {path.split("/")[-2] for path in kept if path.endswith(f"/{type_name}") and path.split("/")[-3] == service_name}
            return sorted(found) or versions(self, service_name, type_name)

        def load_data_with_path(self: Any, name: str) -> tuple[Any, str]:
            paths = [os.path.join(folder, name) for folder in self.search_paths]
            return next(((kept[path], path) for path in paths if path in kept), None) or with_path(self, name)

        loaders.JSONFileLoader.exists = lambda self, path: path in kept or exists(self, path)
        loaders.JSONFileLoader.load_file = lambda self, path: kept[path] if path in kept else load_file(self, path)
        loader.list_available_services, loader.list_api_versions = list_services, list_versions
        loader.load_data_with_path = load_data_with_path
