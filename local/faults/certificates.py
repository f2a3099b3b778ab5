"""Certificates."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from local import past
from local.place import Place, scenario, tag_list

EXPIRING = "acm-certificate-expiring"


def certificate(place: Place, what: str, *, used: bool = True, **told: Any) -> tuple[str, str]:
    """A certificate's domain and ARN, imported unless ACM tells otherwise."""
    domain = f"{place.name(what)}.acme.example"
    arn = bring(place, domain, Tags=tag_list(place.tags(domain)))
    users = [place.arn("elasticloadbalancing", "loadbalancer/app/web/50dc6c495c0c9188")] if used else []
    past.tell_of_certificate(place.account.id, place.region, arn, InUseBy=users, **told)
    return domain, arn


def bring(place: Place, domain: str, **options: Any) -> str:
    """Import what is valid for a year."""
    made = place.client("acm").import_certificate(
        Certificate=_signed(domain),
        PrivateKey=_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        **options,
    )
    return str(made["CertificateArn"])


@cache
def _key() -> EllipticCurvePrivateKey:
    """One that ACM leaves out of its list unless it is asked for all."""
    return generate_private_key(SECP256R1())


def _signed(domain: str) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(_key().public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
    return (
        builder.not_valid_after(now + timedelta(days=365)).sign(_key(), SHA256()).public_bytes(Encoding.PEM)
    )


@scenario(copies=2)
def imported_certificate_that_ends_soon(place: Place) -> None:
    domain, arn = certificate(place, "shop", NotAfter=past.days_ago(-5.5))
    acm = place.client("acm")

    def mend() -> None:
        bring(place, domain, CertificateArn=arn)
        # moto takes what is imported again for new; AWS keeps its tags.
        acm.add_tags_to_certificate(CertificateArn=arn, Tags=tag_list(place.tags(domain)))

    place.fails(
        EXPIRING,
        resource=arn,
        mend=mend,
        remove=lambda: acm.delete_certificate(CertificateArn=arn),
    )


@scenario()
def certificate_that_ended_and_that_nobody_uses(place: Place) -> None:
    _, arn = certificate(place, "campaign", used=False, NotAfter=past.days_ago(40), Status="EXPIRED")
    place.fails(EXPIRING, resource=arn)


@scenario()
def certificate_whose_renewal_waits(place: Place) -> None:
    """Somebody removed the DNS record."""
    _, arn = _issued(place, "portal", days=50, renewal="PENDING_VALIDATION")
    place.fails(EXPIRING, resource=arn)


@scenario()
def certificate_that_renews_itself(place: Place) -> None:
    _, arn = _issued(place, "api", days=44, renewal="PENDING_AUTO_RENEWAL")
    place.looks_like(EXPIRING, resource=arn)


@scenario()
def request_that_nobody_validated(place: Place) -> None:
    _, arn = certificate(
        place,
        "beta",
        used=False,
        Type="AMAZON_ISSUED",
        Status="PENDING_VALIDATION",
        NotAfter=None,
        CreatedAt=past.days_ago(5),
    )
    place.fails(EXPIRING, resource=arn)


def _issued(place: Place, what: str, *, days: float, renewal: str) -> tuple[str, str]:
    return certificate(
        place,
        what,
        Type="AMAZON_ISSUED",
        NotAfter=past.days_ago(-days),
        CreatedAt=past.days_ago(300),
        RenewalEligibility="ELIGIBLE",
        RenewalSummary={
            "RenewalStatus": renewal,
            "DomainValidationOptions": [],
            "UpdatedAt": past.days_ago(1),
        },
    )
