"""Small answers that every page shares, worded as Go's net/http words them, and the pages that are nothing else."""

import gc
import html
import json
import resource
import sys
from typing import Final

from etcdcore.config import ETCD_VERSION
from etcdcore.rpc.http import HttpRequest, HttpResponse
from etcdcore.web.facts import ServerFacts

TEXT: Final = "text/plain; charset=utf-8"


def plain_error(status: int, text: str) -> HttpResponse:
    """As Go's http.Error."""
    return HttpResponse(status, {"Content-Type": TEXT, "X-Content-Type-Options": "nosniff"}, f"{text}\n".encode())


def method_not_allowed() -> HttpResponse:
    error = plain_error(405, "Method Not Allowed")
    return HttpResponse(405, {**error.headers, "Allow": "GET"}, error.body)


def not_found() -> HttpResponse:
    return plain_error(404, "404 page not found")


def redirect(request: HttpRequest, target: str) -> HttpResponse:
    """As Go's http.Redirect: what was asked for by GET has a body for people."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(307, {"Location": target})
    headers = {"Location": target, "Content-Type": "text/html; charset=utf-8"}
    return HttpResponse(307, headers, f'<a href="{html.escape(target)}">Temporary Redirect</a>.\n\n'.encode())


def version(request: HttpRequest, facts: ServerFacts) -> HttpResponse:
    if request.method != "GET":
        return method_not_allowed()
    cluster, storage = facts.versions()
    versions = {
        "etcdserver": ETCD_VERSION,
        "etcdcluster": cluster or "not_decided",
        "storage": storage or "unknown",
    }
    body = json.dumps(versions, separators=(",", ":")).encode()
    return HttpResponse(200, {"Content-Type": "application/json"}, body)


def variables(request: HttpRequest) -> HttpResponse:
    """`/debug/vars`: Go's `memstats` has no counterpart, so what Python knows of its memory stands there instead."""
    if request.method != "GET":
        return method_not_allowed()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    values = {
        "cmdline": sys.argv,
        "file_descriptor_limit": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "memstats": {"PeakResidentBytes": usage.ru_maxrss * 1024, "Collections": gc.get_stats()},
    }
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in values.items())
    return HttpResponse(200, {"Content-Type": "application/json; charset=utf-8"}, f"{{\n{lines}\n}}\n".encode())
