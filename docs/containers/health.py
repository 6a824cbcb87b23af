"""Ends with 0 where the service answers: with its token, if there is one, that its archive can be read."""

import os
from http.client import HTTPConnection

token = os.environ.get("COPYDESK_TOKEN")
service = HTTPConnection("127.0.0.1", 7860, timeout=4)
service.request("GET", "/healthz", headers={"Authorization": f"Bearer {token}"} if token else {})
# Where people have names and there is no token, it says that it does not know who asks.
raise SystemExit(service.getresponse().status not in ((200,) if token else (200, 401)))
