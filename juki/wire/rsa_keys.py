"""Our own RSA keys, read by the certificate they belong to.

Decides:    that a private key is ours and whole when it is the key of the certificate and its parts agree.
Leaves:     whose file it is and who may read it to `juki.keys`, which certificate to `config`.
Invariants: as much is known of a key as after the library's own check, which searches its factors for primes for a
            tenth of a second. Here the modulus is that of the certificate, and it has one pair of factors only: what
            multiplies to it is the pair it was made of. Parts that disagree would make a signature from which the
            key can be computed, or an envelope look altered by its sender.
Source:     RFC 8017 section 3.2; Boneh, DeMillo, Lipton, On the Importance of Checking Cryptographic Protocols for
            Faults (1997).
"""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key


def read_rsa_key(pem: bytes, certificate: x509.Certificate) -> rsa.RSAPrivateKey:
    """Read the private key of a certificate.

    Raises: ValueError or TypeError when it is not an RSA key, not that of the certificate, or not whole.
    """
    key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("not an RSA key")
    public = certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise TypeError("not the certificate of an RSA key")
    if not is_key_of(key.private_numbers(), public.public_numbers()):
        raise ValueError("not the key of the certificate")
    return key


def is_key_of(private: rsa.RSAPrivateNumbers, public: rsa.RSAPublicNumbers) -> bool:
    """Tell whether every part of a key agrees with the public key and with the others."""
    p, q, d = private.p, private.q, private.d
    return (
        private.public_numbers == public
        and min(p, q) > 1
        and p * q == public.n
        and all(d * public.e % (factor - 1) == 1 for factor in (p, q))
        and (private.dmp1, private.dmq1) == (d % (p - 1), d % (q - 1))
        and 0 < private.iqmp < p
        and private.iqmp * q % p == 1
    )
