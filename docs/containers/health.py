"""Ends with 0 where the service answers questions, which it says without a token."""

from http.client import HTTPConnection

service = HTTPConnection("127.0.0.1", 7860, timeout=4)
service.request("GET", "/readyz")
raise SystemExit(service.getresponse().status != 200)
