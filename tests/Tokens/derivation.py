# An independent computation of the tenants' keys: HKDF from RFC 5869 with hmac alone, the curve by affine arithmetic over integers, no cryptographic library.
import base64, hashlib, hmac, json
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296, 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)

def add(a, b):
    if a is None: return b
    if b is None: return a
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0: return None
        m = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P)
    else:
        m = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (m * m - a[0] - b[0]) % P
    return x, (m * (a[0] - x) - a[1]) % P

def multiply(k, point):
    total = None
    while k:
        if k & 1: total = add(total, point)
        point, k = add(point, point), k >> 1
    return total

def hkdf(secret, info, length):
    prk, block, out, i = hmac.new(bytes(32), secret, hashlib.sha256).digest(), b"", b"", 0
    while len(out) < length:
        i += 1
        block = hmac.new(prk, block + info + bytes([i]), hashlib.sha256).digest()
        out += block
    return out[:length]

def b64u(data): return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

assert hkdf(b"\x0b" * 22, b"", 42).hex().startswith("8da4e775a563c18f715f802a063c5a31")     # RFC 5869 A.3

cases = []
for root, tenant, version in [
    (bytes(range(32)), "tenant-1", "00000000-0000-4000-8000-000000000001"),
    (bytes(range(32)), "tenant-2", "00000000-0000-4000-8000-000000000001"),
    (bytes(range(32)), "tenant-43", "00000000-0000-4000-8000-000000000001"),
    (bytes(range(32)), "tenant-43", "00000000-0000-4000-8000-000000000002"),
    (hashlib.sha512(b"a root of 64 bytes").digest(), "tenant-156", "EXAMPLE1-90ab-cdef-fedc-ba987SECRET1"),
]:
    info = f"{tenant}|{version}".encode("ascii")
    okm = hkdf(root, info, 48)
    d = int.from_bytes(okm, "big") % (N - 1) + 1
    x, y = (c.to_bytes(32, "big") for c in multiply(d, G))
    thumb = json.dumps({"crv": "P-256", "kty": "EC", "x": b64u(x), "y": b64u(y)}, separators=(",", ":"))
    spki = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + b"\x04" + x + y
    b = base64.b64encode(spki).decode()
    pem = "-----BEGIN PUBLIC KEY-----\n" + "\n".join(b[i:i+64] for i in range(0, len(b), 64)) + "\n-----END PUBLIC KEY-----"
    cases.append({"root": base64.b64encode(root).decode(), "tenant_id": tenant, "version_id": version, "info": info.hex(), "okm": okm.hex(),
                  "d": f"{d:064x}", "x": b64u(x), "y": b64u(y), "kid": b64u(hashlib.sha256(thumb.encode()).digest()), "pem": pem})
print(json.dumps({
    "about": "Tenants' signing keys derived from a root secret: HKDF-SHA256 (RFC 5869) without salt, info = ASCII of 'tenant id|version id', 48 bytes; d = x mod (n - 1) + 1 (FIPS 186-5 A.2.1); kid = RFC 7638.",
    "computed_by": "derivation.py beside this file: Python's hmac and integer arithmetic alone, checked against RFC 5869 A.3",
    "cases": cases}, indent=2))
