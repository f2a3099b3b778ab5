"""AWS in memory, for tests that run thousands of scans: fast, and the same as the real thing in what we use.

test_twins holds them to moto, and to AWS where moto is laxer. What a twin does not know it does not guess:
it raises NotImplementedError.

`before` and `after` let a test in at every write: raise there, and the worker dies between two writes; call
there, and another worker runs in between.
"""

from tests.twins.calls import refusal
from tests.twins.organizations import OrganizationsTwin, RegionsTwin
from tests.twins.results import S3Twin, SnsTwin
from tests.twins.table import TableTwin

__all__ = ["OrganizationsTwin", "RegionsTwin", "S3Twin", "SnsTwin", "TableTwin", "refusal"]
