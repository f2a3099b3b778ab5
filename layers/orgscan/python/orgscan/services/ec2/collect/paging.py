"""What the listings of EC2 have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import PaginatorConfigTypeDef

PAGE: PaginatorConfigTypeDef = {"PageSize": 1000}
"""Without a page size, EC2 answers in one piece, which times out in large accounts."""
SMALL_PAGE: PaginatorConfigTypeDef = {"PageSize": 100}
"""The most that route tables and prefix lists allow."""
TEMPLATES: PaginatorConfigTypeDef = {"PageSize": 200}
"""The most that launch templates allow."""
GONE = ("shutting-down", "terminated", "deleting", "deleted")
"""States of what is listed for an hour more, but is no longer there."""
