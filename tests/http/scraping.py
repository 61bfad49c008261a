"""What Prometheus does: ask over HTTP, read the lines."""

from http.client import HTTPConnection, HTTPResponse

from prometheus_client.parser import text_string_to_metric_families

from controlplane.metrics_server import MetricsServer

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def ask(
    server: MetricsServer, path: str = "/metrics", method: str = "GET", **headers: str
) -> tuple[HTTPResponse, str]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response, response.read().decode()
    finally:
        connection.close()


def scrape(server: MetricsServer) -> str:
    response, text = ask(server)
    assert response.status == 200, text
    return text


def series(text: str) -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
