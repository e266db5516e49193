"""Opens the worked vectors of docs/format.md without Strongroom: written from that page alone, with AES and Ed25519 from `cryptography`.

Prints `reader: N vectors opened`; at any difference says where and exits 1.
"""

import base64
import hashlib
import hmac
import ipaddress
import json
import re
import struct
import sys
import unicodedata
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "format.md"
ZEROS_16, ZEROS_32 = bytes(16), bytes(32)

# Conventions
class Different(Exception):
    pass

def h(text: str) -> bytes:
    return bytes.fromhex(text)

def same(actual, expected, what: str) -> None:
    if actual != expected or type(actual) is not type(expected):
        raise Different(what)

def lp(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data

def label(name: str) -> bytes:
    return lp(b"strongroom/v1/" + name.encode("ascii"))

def mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()

def hkdf(secret: bytes, info: str, salt: bytes = ZEROS_32) -> bytes:
    # RFC 5869 with 32 bytes of output: one block.
    return mac(mac(salt, secret), b"strongroom/v1/" + info.encode("ascii") + b"\x01")

def xaes_open(key: bytes, aad: bytes, stored: bytes) -> bytes:
    """stored: nonce 24, ciphertext, tag 16. Also tries the message altered, which must not open."""
    aes = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    k1 = int.from_bytes(aes.update(ZEROS_16), "big") << 1
    if k1 >> 128:
        k1 ^= (1 << 128) | 0x87
    blocks = [b"\x00" + counter + b"X\x00" + stored[:12] for counter in (b"\x01", b"\x02")]
    gcm = AESGCM(b"".join(aes.update((int.from_bytes(block, "big") ^ k1).to_bytes(16, "big")) for block in blocks))
    nonce, sealed = stored[12:24], stored[24:]
    for other_aad, other in ((aad, sealed[:-1] + bytes([sealed[-1] ^ 1])), (aad + b"\x00", sealed), (aad, sealed[:-1])):
        try:
            gcm.decrypt(nonce, other, other_aad)
        except InvalidTag:
            continue
        raise Different("an altered message opens")
    return gcm.decrypt(nonce, sealed, aad)

# Derivations
def commitment(secret: bytes) -> bytes:
    return hkdf(secret, "commit")

def value_tag(c: bytes, context: str) -> bytes:
    return mac(c, label("tag") + lp(context.encode()))[:16]

def check_derivations(v: dict) -> int:
    secret = h(v["secret"])
    c = commitment(secret)
    same((c.hex(), hkdf(secret, "seal").hex()), (v["commitment"], v["sealKey"]), "commitment and seal key")
    same(hkdf(secret, "children").hex(), v["childSalt"], "child salt")
    same({use: hkdf(secret, f"use/{use}").hex() for use in v["serviceKeys"]}, v["serviceKeys"], "service keys")
    same({context: value_tag(c, context).hex() for context in v["tags"]}, v["tags"], "tags")
    same(mac(c, label("index-tag"))[:4].hex(), v["indexTag"], "index tag")
    return 4 + len(v["serviceKeys"]) + len(v["tags"])

def check_wrap_key(v: dict) -> None:
    salt = ZEROS_32 if v["parentSecret"] is None else hkdf(h(v["parentSecret"]), "children")
    same(hkdf(h(v["wrappingKey"]), "wrap", salt).hex(), v["wrapKey"], "wrap key")

# Encrypted value
def padme(length: int) -> int:
    e = length.bit_length() - 1
    s = e.bit_length()
    step = 2 ** max(0, e - s)
    return -(-length // step) * step

def unframe(frame: bytes) -> tuple[int, bytes]:
    if frame[0] < 0x80:
        return frame[0], frame[1:]
    end = len(frame.rstrip(b"\x00")) - 1
    if end < 1 or frame[end] != 0x80 or padme(end + 1) != len(frame):
        raise Different("padding")
    return frame[0] & 0x7F, frame[1:end]

def double(body: bytes) -> str:
    return "-0" if body == struct.pack("<d", -0.0) else repr(struct.unpack("<d", body)[0])

# By type byte: the name of the type, and the value in the terms of the page's `plain`.
DECODE = {
    0x01: ("double", double),
    0x02: ("string", lambda body: body.decode("utf-8")),
    0x05: ("binary", lambda body: body[1:].hex() if body[0] == 0 else None),
    0x08: ("boolean", lambda body: {b"\x00": False, b"\x01": True}[body]),
    0x09: ("date", lambda body: struct.unpack("<q", body)[0]),
    0x10: ("int32", lambda body: struct.unpack("<i", body)[0]),
    0x12: ("int64", lambda body: str(struct.unpack("<q", body)[0])),
    0x70: ("json", lambda body: body.decode("utf-8") if json.loads(body) is not None else None),
}

def number(text: str) -> bytes:
    if re.fullmatch(r"-?\d+", text) and -(2**63) <= int(text) < 2**63:
        return b"\x12" + struct.pack(">q", int(text))
    return b"\x01" + (h("7ff8000000000000") if text == "NaN" else struct.pack(">d", float(text)))

SCALARS = {
    "integer": number,
    "number": number,
    "string": lambda text: b"\x02" + text.encode(),
    "binary": h,
    "objectId": lambda digits: b"\x07" + h(digits),
    "boolean": lambda value: b"\x08" + bytes([value]),
    "date": lambda value: b"\x09" + struct.pack(">q", value),
}

def scalar(v: dict) -> bytes:
    kind = next(name for name in v if name in SCALARS)
    return (bytes([0x05, v["subtype"]]) if kind == "binary" else b"") + SCALARS[kind](v[kind])

def open_value(v: dict) -> None:
    secret, value = h(v["secret"]), h(v["value"])
    record = b"\x00"
    if v["record"] is not None:
        kind, _, rest = v["record"].partition(" ")
        bound = scalar({{"ObjectId": "objectId"}.get(kind, kind): rest, "subtype": 0})
        same(bound.hex(), v["scalar"], "scalar")
        record = b"\x01" + lp(bound)
    header = b"\x01" + value_tag(commitment(secret), v["context"])
    same(value[:17], header, "header")
    aad = label("sealed") + header + lp(v["context"].encode()) + lp(v["field"].encode()) + record
    same(aad.hex(), v["associatedData"], "associated data")
    frame = xaes_open(hkdf(secret, "seal"), aad, value[17:])
    same(frame.hex(), v["frame"], "frame")
    kind, body = unframe(frame)
    same((DECODE[kind][0], DECODE[kind][1](body)), (v["type"], v["plain"]), "value")
    same("sr1." + base64.urlsafe_b64encode(value).decode().rstrip("="), v["text"], "text form")

# Key records
def open_references(v: dict) -> int:
    vault, tenant = h(v["vaultId"]), h(v["named"][0]["ref"])
    same(hashlib.sha256(label("ref-root") + vault + lp(ZEROS_16)).digest()[:16], h(v["refKeyOfVault"]), "ref key of the vault")
    same(hashlib.sha256(label("ref-root") + vault + lp(tenant)).digest()[:16], h(v["refKeyOfTenant"]), "ref key of the tenant")
    first = hashlib.sha256(label("first-wrapping-key") + vault + lp(tenant)).digest()[:16]
    same(first, h(v["firstWrappingKeyIdOfTenant"]), "id of the first wrapping key")
    same(hashlib.sha256(label("next-wrapping-key") + vault + lp(first)).digest()[:16], h(v["nextWrappingKeyIdOfTenant"]), "id of the next")
    for n in v["named"]:
        message = label("ref") + bytes([n["kind"]]) + lp(h(n["parentRef"])) + lp(h(n["name"]))
        same(mac(hkdf(h(n["refSecret"]), "use/ref"), message)[:16], h(n["ref"]), n["of"])
    for n in v["serviceNames"]:
        life = struct.pack(">BQ", ("none", "generation", "period").index(n["life"]), n["number"])
        same(lp(n["use"].encode()) + lp(n["name"].encode()) + life, h(n["bytes"]), "service name")
    return 4 + len(v["named"]) + len(v["serviceNames"])

def region_and_instant(v: dict) -> bytes:
    return lp(v["region"].encode()) + struct.pack(">Q", v["created"])

def open_node_wrap(v: dict) -> None:
    aad = label("node") + h(v["vaultId"]) + bytes([v["kind"]]) + h(v["ref"]) + lp(h(v["parentRef"]))
    aad += struct.pack(">I", v["parentVersion"]) + h(v["parentCommitment"]) + h(v["tenantRef"])
    aad += struct.pack(">IB", v["version"], v["state"]) + h(v["commitment"]) + region_and_instant(v)
    same(aad.hex(), v["associatedData"], "associated data")
    wrap = h(v["wrap"])
    same((len(wrap), wrap[0]), (73, 1), "form")
    secret = xaes_open(h(v["wrapKey"]), aad, wrap[1:])
    same(secret.hex(), v["secret"], "secret")
    same(commitment(secret).hex(), v["commitment"], "commitment")

def open_wrapping_key(v: dict) -> None:
    aad = label("wrapping-key") + h(v["vaultId"]) + h(v["id"]) + h(v["tenantRef"]) + region_and_instant(v)
    same(aad.hex(), v["associatedData"], "associated data")
    key, check = h(v["plaintext"])[:32], h(v["plaintext"])[32:]
    same(check, mac(hkdf(key, "wrapping-key-check"), aad), "check")
    same(key.hex(), v["key"], "key")

# Ledger
def split(data: bytes) -> list[bytes]:
    fields = []
    while data:
        end = 4 + int.from_bytes(data[:4], "big")
        if end > len(data):
            raise Different("lengths of fields")
        fields.append(data[4:end])
        data = data[end:]
    return fields

def open_ledger(v: dict) -> int:
    key, previous = hkdf(h(v["secret"]), "use/ledger"), ZEROS_32
    for count, e in enumerate(v["entries"], 1):
        stored = h(e["stored"])
        fields = split(stored[:-32])
        same(stored[-32:], mac(key, label("ledger") + stored[:-32]), "hash")
        same(fields[2], previous, "previous")
        keys = b"".join(struct.pack(">I", k["version"]) + h(k["commitment"]) for k in e["keys"])
        root = struct.pack(">I", e["rootVersion"]["number"]) + lp(h(e["rootVersion"]["id"]))
        expected = [h(v["vaultId"]), struct.pack(">Q", count), previous, bytes([e["op"]]), bytes([e["kind"]]), h(e["ref"])]
        expected += [h(e["parentRef"]), h(e["tenantRef"]), e["region"].encode(), keys, root]
        same(fields, expected + [struct.pack(">Q", e["instant"]), bytes([e["reason"]])], e["of"])
        same((e["n"], stored[-32:].hex()), (count, e["hash"]), "number and hash")
        previous = stored[-32:]
    n = 1
    for page in v["pages"]:
        same(page["key"], f"{v['vaultId']}/{n:016x}", "key of a page")
        entries = [entry.hex() for entry in split(h(page["value"]))]
        same(entries, [e["stored"] for e in v["entries"][n - 1 : n - 1 + len(entries)]], "page")
        n += len(entries)
    same(n, len(v["entries"]) + 1, "entries in pages")
    return len(v["entries"]) + len(v["pages"])

# Shred receipt
def is_signed(key: bytes, what: str, fields: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, label(what) + fields)
    except InvalidSignature:
        return False
    return True

def open_receipt(v: dict) -> None:
    prefix, _, text = v["text"].partition(".")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    same((prefix, base64.urlsafe_b64encode(data).decode().rstrip("=")), ("srr1", text), "text")
    fields, key, signature = data[:-96], data[-96:-64], data[-64:]
    same((fields.hex(), key.hex(), signature.hex()), (v["fields"], v["publicKey"], v["signature"]), "parts")
    same(is_signed(h(v["publicKey"]), "shred-receipt", fields, signature), True, "signature")
    for at in range(len(fields)):
        altered = fields[:at] + bytes([fields[at] ^ 1]) + fields[at + 1 :]
        same(is_signed(h(v["publicKey"]), "shred-receipt", altered, signature), False, "an altered receipt verifies")
    same(fields[0], 1, "version")
    root = struct.pack(">I", v["rootVersion"]["number"]) + lp(h(v["rootVersion"]["id"]))
    expected = [h(v["vaultId"]), bytes([v["kind"]]), h(v["ref"]), h(v["parentRef"]), h(v["tenantRef"]), v["region"].encode("ascii")]
    expected += [struct.pack(">I", v["versions"]), root, struct.pack(">Q", v["instant"]), bytes([v["reason"]])]
    expected += [struct.pack(">Q", v["ledger"]["n"]), h(v["ledger"]["hash"])]
    expected += [b"".join(h(k["ref"]) + struct.pack(">Q", k["until"]) for k in v["kept"])]
    same(split(fields[1:]), expected, "fields")
    seed = hkdf(h(v["secret"]), "use/signing-certificate")
    same(seed.hex(), v["seed"], "seed")
    signer = Ed25519PrivateKey.from_private_bytes(seed)
    same(signer.public_key().public_bytes_raw().hex(), v["publicKey"], "public key")
    same(v["vaultId"] + v["publicKey"], v["trustedKey"], "trusted key")
    same(signer.sign(label("shred-receipt") + fields).hex(), v["signature"], "signature made again")

# Closure certificate
MEMBERS = "form vaultId kind references region reason requestedAt suspendedAt dueAt shreddedAt erasedAt closedAt held keyVersions rootVersion"
MEMBERS += " ledger receipt policy resources destruction survivors"

def from_text(text: str) -> bytes:
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    same(text_of(data), text, "base64url")
    return data

def open_certificate(v: dict) -> None:
    prefix, *parts = v["text"].split(".")
    body, key, signature = map(from_text, parts)
    same((prefix, body.hex(), key.hex(), signature.hex()), ("scc1", v["body"], v["publicKey"], v["signature"]), "parts")
    same(is_signed(h(v["publicKey"]), "closure-certificate", body, signature), True, "signature")
    same(is_signed(h(v["publicKey"]), "shred-receipt", body, signature), False, "a receipt's label")
    for at in range(len(body)):
        altered = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        same(is_signed(h(v["publicKey"]), "closure-certificate", altered, signature), False, "an altered certificate verifies")
    said = json.loads(body.decode("utf-8"))
    same(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8"), body, "spelling")
    same(" ".join(said), MEMBERS, "members")
    same(said, v["says"], "what it says")
    same(said["vaultId"] + key.hex(), v["trustedKey"], "trusted key: of the vault that it names")
    same(said["destruction"][-1]["number"], said["rootVersion"], "newest root version")
    for root in said["destruction"]:
        same(max(root["effectiveAt"], root["copiesUntil"]) <= said["closedAt"], True, "a root version that lives")
    requested, suspended, due, shredded, erased, closed = (said[name] for name in MEMBERS.split()[6:12])
    same(requested <= due <= erased <= closed and shredded <= erased, True, "order of the steps")
    same(requested <= suspended <= shredded or suspended == shredded, True, "order of suspension and shred")
    same(all(shredded <= each["verifiedAt"] <= erased for each in said["resources"]), True, "order of resources")
    same(said["held"]["from"] <= said["held"]["until"] <= erased, True, "order of what was held")
    # The receipt in it.
    data = from_text(said["receipt"].removeprefix("srr1."))
    fields = data[:-96]
    same(is_signed(h(v["publicKey"]), "shred-receipt", fields, data[-64:]), True, "signature of the receipt")
    same(split(fields[1:])[0].hex() + data[-96:-64].hex(), v["trustedKey"], "trusted key: of the vault that the receipt names")
    vault, kind, ref, _, tenant, region, versions, root, instant, _, n, digest, _ = split(fields[1:])
    same(kind, b"\x02", "kind")
    same([tenant.hex(), ref.hex()], said["references"], "references")
    same((vault.hex(), region.decode("ascii")), (said["vaultId"], said["region"]), "vault and region")
    same([int.from_bytes(x, "big") for x in (versions, root[:4], instant)], [said["keyVersions"], said["rootVersion"], said["shreddedAt"]], "shred")
    same({"n": int.from_bytes(n, "big"), "hash": digest.hex()}, said["ledger"], "ledger")
    signer = Ed25519PrivateKey.from_private_bytes(hkdf(h(v["secret"]), "use/signing-certificate"))
    same(signer.sign(label("closure-certificate") + body).hex(), v["signature"], "signature made again")

# The page
def each(check):
    return lambda items: sum(check(item) is None for item in items)

def check_index_value(v: dict) -> None:
    secret = h(v["secret"])
    message = label("index") + lp(v["domain"].encode()) + lp(v["normaliser"].encode()) + lp(h(v["scalar"]))
    tag = mac(commitment(secret), label("index-tag"))[:4]
    same(b"\x01" + tag + mac(hkdf(secret, "use/index"), message)[:16], h(v["value"]), "index value")

WHITE = "\t\n\v\f\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000\ufeff"
UNSEEN = "\u00ad\u2060" + "".join(map(chr, [*range(0x200B, 0x2010), *range(0x202A, 0x202F)]))
DASHES = "-\u2212" + "".join(map(chr, range(0x2010, 0x2016)))

def lower(text: str, form: str) -> str:
    return unicodedata.normalize(form, unicodedata.normalize(form, text).lower().replace("\u03c2", "\u03c3"))

def normalised(normaliser: str, text: str) -> str | None:
    if normaliser == "none/1":
        return text
    if normaliser == "phone/1":
        if re.search(r"\(0+\)", text := "".join(str(unicodedata.digit(c)) if digit(c) else c for c in text.replace("\uff0b", "+"))):
            return None
        number = "".join(c for c in text if c not in WHITE + UNSEEN + DASHES + "().\u002f")
        return number if re.fullmatch(r"\+[1-9][0-9]{6,14}", number) else None
    if any(unicodedata.category(c) == "Cn" for c in text):
        return None
    if normaliser == "email/1":
        return lower(text, "NFC").strip(WHITE)
    return re.sub(f"[{WHITE}]+", " ", lower(text, "NFKC")).strip(" ")

def digit(c: str) -> bool:
    return any(first <= ord(c) <= first + 9 for first in (0x660, 0x6F0, 0xFF10))

def check_normalised(v: dict) -> None:
    same(normalised(v["normaliser"], v["input"]), v["normalised"], v["normaliser"])

# Pseudonyms
def aes(key: bytes, block: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)

def xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))

def times(a: int, b: int) -> int:
    product = 0
    for bit in range(8):
        product ^= (a << bit) * (b >> bit & 1)
    for bit in range(14, 7, -1):
        product ^= (0x11B << bit - 8) * (product >> bit & 1)
    return product

def s_box() -> bytes:
    inverse = [0] + [next(b for b in range(256) if times(a, b) == 1) for a in range(1, 256)]
    rotate = lambda x, n: (x << n | x >> 8 - n) & 0xFF
    return bytes(x ^ rotate(x, 1) ^ rotate(x, 2) ^ rotate(x, 3) ^ rotate(x, 4) ^ 0x63 for x in inverse)

def kiasu(key: bytes, tweak: bytes, block: bytes) -> bytes:
    box, words, round_constant = s_box(), [key[i : i + 4] for i in range(0, 16, 4)], 1
    while len(words) < 44:
        word = words[-1]
        if len(words) % 4 == 0:
            word = xor(bytes(box[x] for x in word[1:] + word[:1]), bytes([round_constant, 0, 0, 0]))
            round_constant = times(round_constant, 2)
        words.append(xor(words[-4], word))
    padded = b"".join(tweak[i : i + 2] + b"\x00\x00" for i in range(0, 8, 2))
    keys = [xor(b"".join(words[i : i + 4]), padded) for i in range(0, 44, 4)]
    state = xor(block, keys[0])
    for number, key_of_round in enumerate(keys[1:], 1):
        state = bytes(box[state[(5 * i) % 16]] for i in range(16))
        if number < 10:
            columns = [state[i : i + 4] for i in range(0, 16, 4)]
            mixed = lambda c, r: times(2, c[r]) ^ times(3, c[(r + 1) % 4]) ^ c[(r + 2) % 4] ^ c[(r + 3) % 4]
            state = bytes(mixed(column, row) for column in columns for row in range(4))
        state = xor(state, key_of_round)
    return state

def turned(key: bytes, block: bytes) -> bytes:
    bits, out = int.from_bytes(block, "big"), 0
    start = 96 if block[:12] == bytes(10) + b"\xff\xff" else 0
    for position in range(128):
        before = (1 << position | bits >> 128 - position).to_bytes(16, "big")
        turn = (aes(key[:16], before)[15] ^ aes(key[16:], before)[15]) & 1 if position >= start else 0
        out = out << 1 | (bits >> 127 - position & 1) ^ turn
    return out.to_bytes(16, "big")

def pseudonym(use: str, key: bytes, tweak: bytes, period: int, block: bytes) -> str:
    as_address = lambda out: str(ipaddress.ip_address(out[12:] if out[:12] == bytes(10) + b"\xff\xff" else out))
    if use == "pseudonym-deterministic":
        return as_address(aes(key[:16], block))
    if use == "pseudonym-prefix":
        return as_address(turned(key, block))
    if use == "pseudonym-nd":
        return (tweak + kiasu(key[:16], tweak, block)).hex()
    if use == "pseudonym-ndx":
        mask = aes(key[16:], tweak)
        return (tweak + xor(aes(key[:16], xor(block, mask)), mask)).hex()
    if use == "pseudonym-token":
        return text_of(b"\x01" + struct.pack(">I", period) + aes(key, block)[:11])
    raise Different("use")

def text_of(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")

def check_pseudonyms(v: dict) -> int:
    secret, name = h(v["secret"]), lp(v["purpose"].encode()) + struct.pack(">Q", v["periodLength"])
    service_name = lambda use, of, life, number: lp(use.encode()) + lp(of) + bytes([life]) + struct.pack(">Q", number)
    same(service_name("pseudonym-deterministic", name, 2, v["period"]).hex(), v["serviceName"], "service name")
    mapped = lambda a: (b"\x00" * 10 + b"\xff\xff" + a.packed) if a.version == 4 else a.packed
    blocks = [mapped(ipaddress.ip_address(address)) for address in v["addresses"]]
    same([block.hex() for block in blocks], v["blocks"], "addresses")
    opened = 0
    for mode in v["modes"]:
        key = hkdf(secret, "use/" + mode["use"])
        same(key.hex(), mode["key"], "key")
        made = [pseudonym(mode["use"], key, h(mode.get("tweak", "")), v["period"], block) for block in blocks]
        same(made, mode["pseudonyms"], mode["use"])
        opened += len(made)
    own, key = v["id"], hkdf(secret, "use/pseudonym-id")
    same(service_name("pseudonym-id", v["purpose"].encode(), 0, 0).hex(), own["serviceName"], "service name of an identifier")
    same(key.hex(), own["key"], "key of an identifier")
    same(text_of(b"\x01" + mac(key, lp(own["kind"].encode()) + lp(own["value"].encode()))[:15]), own["id"], "identifier")
    return opened + 1

# Notes of keys that are to end
def check_period_notes(v: dict) -> int:
    key = hkdf(h(v["secret"]), "notes")
    same(key.hex(), v["noteKey"], "note key")
    for note in v["notes"]:
        place = (v["vaultId"], note["tenantRef"], note["use"], str(note["length"]), note["name"].encode().hex(), str(note["period"]))
        same("/".join(place), note["key"], "key of a note")
        due = struct.pack(">Q", note["due"])
        signed = mac(key, label("period-note") + lp(note["key"].encode()) + due)
        same((b"\x01" + due + signed).hex(), note["value"], "note")
    return 1 + len(v["notes"])

def check_erasure(v: dict, names: bool) -> int:
    # Examples, not vectors: the value is encrypted like any other.
    same("names" in v, names, "names are kept while an erasure is under way, and not behind it")
    same(v["receipt"].startswith("srr1."), True, "receipt")
    return 1

CHECKS = {
    "length-prefix": each(lambda v: same(lp(h(v["bytes"])).hex(), v["lp"], "LP")),
    "derivations": check_derivations,
    "wrap-keys": each(check_wrap_key),
    "padded-lengths": each(lambda v: same(padme(v[0]), v[1], "padded length")),
    "canonical-scalars": each(lambda v: same(scalar(v).hex(), v["scalar"], "scalar")),
    "encrypted-values": each(open_value),
    "references": open_references,
    "node-wraps": each(open_node_wrap),
    "wrapping-key": lambda v: each(open_wrapping_key)([v]),
    "ledger": open_ledger,
    "shred-receipt": lambda v: each(open_receipt)([v]),
    "closure-certificate": lambda v: each(open_certificate)([v]),
    "erasure-open": lambda v: check_erasure(v, True),
    "erasure-erased": lambda v: check_erasure(v, False),
    "index-values": each(check_index_value),
    "normalised": each(check_normalised),
    "period-notes": check_period_notes,
    "pseudonyms": check_pseudonyms,
}

def main() -> int:
    page = Path(sys.argv[1] if len(sys.argv) > 1 else PAGE).read_text("utf-8")
    blocks = re.findall(r"^```json name=(\S+)\n(.*?)\n```$", page, re.M | re.S)
    if sorted(name for name, _ in blocks) != sorted(CHECKS):
        print("reader: the page has other vectors than this reader knows")
        return 1
    opened = 0
    for name, body in blocks:
        try:
            opened += CHECKS[name](json.loads(body))
        except (Different, InvalidTag, ValueError, KeyError, IndexError, struct.error) as error:
            print(f"reader: {name}: {type(error).__name__} {error}")
            return 1
    print(f"reader: {opened} vectors opened")
    return 0

if __name__ == "__main__":
    sys.exit(main())
