"""An agreement lacks no part that the clause demands, and its digest has fixed bytes."""

import pytest
from registry_samples import GRANTEE, GRANTOR, THIRD, terms, terms_json

from registry.agreement_terms import AgreementTermsError, read_terms, terms_digest

VECTOR = "sha256:00c5bab9afe6fa86837fa58bef658578d2df48eff0db96aaa05c8961c811b26f"
PARTS = {
    "legal_basis": "用章依据",
    "scope": "用章范围",
    "items": "适用事项",
    "authority": "权限",
    "period": "期限",
    "grantor_rights": "权利",
    "grantor_duties": "义务",
    "grantee_rights": "权利",
    "grantee_duties": "义务",
    "liability": "法律责任",
}


def refused(value) -> AgreementTermsError:
    with pytest.raises(AgreementTermsError) as caught:
        read_terms(value)
    return caught.value


def test_complete_terms_are_read():
    read = terms()
    assert read.model_dump(mode="json") == terms_json()


@pytest.mark.parametrize(("part", "zh"), PARTS.items())
@pytest.mark.parametrize("empty", ["absent", None, "", [], {}])
def test_each_missing_part_is_named_with_its_clause(part, zh, empty):
    value = terms_json(**{part: empty})
    if empty == "absent":
        del value[part]
    error = refused(value)
    assert error.code == "agreement-part-missing"
    assert error.parts == (part,)
    assert error.clause == "[002 附件3 二.1]"
    assert zh in error.zh
    assert error.clause in error.en


def test_all_missing_parts_are_named_at_once_with_the_citys_clause():
    error = refused({"v": 1, "regime": "city_county"})
    assert error.parts == tuple(PARTS)
    assert error.clause == "[000 二(一)]"


@pytest.mark.parametrize(
    "field",
    [
        "signatories",
        "announcement",
        "weakest_assurance",
        "filing_required",
        "issuer_required",
        "relation",
        "users",
        "v",
    ],
)
def test_what_else_stands_in_an_agreement_is_asked_for_too(field):
    value = terms_json()
    del value[field]
    error = refused(value)
    assert error.code == "agreement-terms-invalid"
    assert field in error.parts


@pytest.mark.parametrize("users", [[THIRD], [GRANTEE, THIRD], [GRANTOR], [GRANTEE, GRANTEE], []], ids=str)
def test_no_third_organ_may_be_user(users):
    error = refused(terms_json(users=users))
    assert error.code == "agreement-terms-invalid"


def test_third_organ_is_named():
    assert THIRD in refused(terms_json(users=[GRANTEE, THIRD])).zh


@pytest.mark.parametrize(
    "changes",
    [
        {"grantee": GRANTOR, "users": [GRANTOR]},
        {"grantor": GRANTOR[:-1] + "0"},
        {"items": [{"list": "002-2", "number": 14}, {"list": "002-2", "number": 14}]},
        {"items": [{"list": "002-2", "number": 0}]},
        {"items": [{"list": "002-2", "number": "14"}]},
        {"items": [{"name": "公共场所卫生许可"}]},
        {"period": {"valid_from": "2024-01-01T00:00:00Z", "valid_until": "2024-01-01T00:00:00Z"}},
        {"period": {"valid_from": "2024-01-01T00:00:00+08:00", "valid_until": "2025-01-01T00:00:00Z"}},
        {"period": {"valid_from": "2024-01-01T00:00:00", "valid_until": "2025-01-01T00:00:00"}},
        {"period": {"valid_from": "2024-01-01T00:00:00Z", "valid_until": "9999-01-01T00:00:00Z"}},
        {"system_attested_daily_cap": 5},
        {"weakest_assurance": "system_attested"},
        {"approval_working_days": 0},
        {"approval_working_days": 10.5},
        {"approval_working_days": True},
        {"regime": "province"},
        {"scope": "含\u202e反向"},
        {"scope": " 有空白"},
        {"scope": "e\u0301"},
        {"extra": 1},
        {"v": 2},
        {"v": True},
    ],
    ids=str,
)
def test_wrong_terms_are_refused(changes):
    assert refused(terms_json(**changes)).code == "agreement-terms-invalid"


@pytest.mark.parametrize("value", [None, [], "text", 1, {"v": 1.5}])
def test_what_is_not_an_object_is_refused(value):
    assert refused(value).code in {"agreement-terms-invalid", "agreement-part-missing"}


def test_system_attested_needs_a_cap():
    read = terms(weakest_assurance="system_attested", system_attested_daily_cap=20)
    assert read.system_attested_daily_cap == 20


def test_digest_has_fixed_bytes():
    """Organs' signatures and certificates hold this digest: it must come out the same for ever."""
    assert terms_digest(terms()) == VECTOR
    assert terms_digest(terms(scope="别的范围")) != VECTOR
