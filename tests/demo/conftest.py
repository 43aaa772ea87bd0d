"""Particulars to set documents with."""

from datetime import date

import pytest

from demo.documents import Particulars


@pytest.fixture
def particulars() -> Particulars:
    return Particulars(
        issuer="赣州市行政审批局",
        handled_by="兴国县行政审批局",
        reviewer="赣州市人民政府",
        case_number="XG20261123-9001",
        document_number="赣市审〔2026〕9001号",
        licence_number="梯11赣B09001（26）",
        day=date(2026, 11, 23),
    )
