"""The two parametrised algorithms of a package, RSA-OAEP and RSA-PSS: how we write them, which we accept.

Invariants: one hash throughout. An absent hash or mask means SHA-1 in both structures and is never accepted.
Source:     RFC 8017 A.2, RFC 4055, spec/packages.md section 1.
"""

from __future__ import annotations

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from juki.wire import cms


def oaep_sha256() -> cms.OaepAlgorithm:
    """RSA-OAEP with SHA-256 for the hash and for MGF1, without label (RFC 8017 A.2.1)."""
    sha256 = cms.HashAlgorithm(algorithm=cms.SHA256, parameters=asn1.Null())
    mask = cms.MaskAlgorithm(algorithm=cms.MGF1, parameters=sha256)
    return cms.OaepAlgorithm(algorithm=cms.RSAES_OAEP, parameters=cms.OaepParameters(hash=sha256, mask=mask))


def is_oaep_sha256(algorithm: cms.OaepAlgorithm) -> bool:
    """Tell whether a key transport is RSA-OAEP with SHA-256 throughout and an empty label."""
    parameters = algorithm.parameters
    label = parameters.label
    return (
        algorithm.algorithm == cms.RSAES_OAEP
        and parameters.hash is not None
        and parameters.hash.algorithm == cms.SHA256
        and _is_mgf1(parameters.mask, cms.SHA256)
        and (label is None or (label.algorithm == cms.P_SPECIFIED and label.parameters == b""))
    )


def _is_mgf1(mask: cms.MaskAlgorithm | None, hash_function: ObjectIdentifier) -> bool:
    """Tell whether a mask generation is MGF1 with the given hash; absent would mean SHA-1."""
    return mask is not None and mask.algorithm == cms.MGF1 and mask.parameters.algorithm == hash_function


def pss(hash_function: ObjectIdentifier, salt_length: int) -> cms.PssAlgorithm:
    """RSA-PSS with one hash throughout (RFC 8017 A.2.3)."""
    algorithm = cms.HashAlgorithm(algorithm=hash_function, parameters=asn1.Null())
    mask = cms.MaskAlgorithm(algorithm=cms.MGF1, parameters=algorithm)
    parameters = cms.PssParameters(hash=algorithm, mask=mask, salt_length=salt_length)
    return cms.PssAlgorithm(algorithm=cms.RSASSA_PSS, parameters=parameters)


def is_pss(algorithm: cms.PssAlgorithm, hash_function: ObjectIdentifier) -> bool:
    """Tell whether a signature is RSA-PSS with the given hash throughout."""
    parameters = algorithm.parameters
    return (
        algorithm.algorithm == cms.RSASSA_PSS
        and parameters.hash is not None
        and parameters.hash.algorithm == hash_function
        and _is_mgf1(parameters.mask, hash_function)
        and parameters.trailer == 1
    )
