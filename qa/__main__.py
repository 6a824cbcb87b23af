"""`python -m qa` is `copydesk`."""

import sys

from qa.doors.cli import main

sys.exit(main())
