"""The SDK for applications: evaluates flags from memory, and tells what was executed.

It imports nothing of the server: msgspec, mmh3, urllib3 and the pure modules are all it costs.
"""

from controlplane.bucketing import Explanation
from controlplane.client.client import Client
from controlplane.client.measuring import Run
from controlplane.client.notices import Notice
from controlplane.client.status import Status

__all__ = ["Client", "Explanation", "Notice", "Run", "Status"]
