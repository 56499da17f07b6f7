"""fsd.jwt: tokens are signed and verified by the algorithm of the key, and nothing that a token says of itself changes that."""
import base64
import hashlib
import hmac
import json
import pathlib

import pytest

from handler_rows import app_of, names

KEYS = {path.name: path.read_text() for path in (pathlib.Path(__file__).parent / "keys").iterdir()}
SECRET = "a secret of at least sixty-four bytes, as HS512 wants it to have, at least."


def lua(text):
    return "[==[\n" + text + "]==]"


HEAD = '''
local jwt, base64, crypto = fsd.jwt, fsd.base64, fsd.crypto
local function failure(...) local ok, err = fsd.try(...) if ok == nil then return err end end
local function code(...) local err = failure(...) return err and err.name == "JwtError" and err.status == 401 and err.code end
local function mistake(...) local ok, err = pcall(...) assert(not ok) return tostring(err) end
local SECRET = "%s"
local PEM = { %s }
local function enc(v) return base64.encode_url(type(v) == "string" and v or json.encode(v)) end
local function parts(token) return token:match("^(.-)%%.(.-)%%.(.*)$") end
local function hs(head, claims, secret) local text = enc(head) .. "." .. enc(claims) return text .. "." .. crypto.hmac("sha256", secret or SECRET, text, "base64url") end
local key = jwt.key{ alg = "HS256", secret = SECRET }
local public = { }
local private = { }
for _, alg in ipairs{ "RS256", "RS384", "RS512", "ES256", "ES384", "ES512" } do
  local name = alg:sub(1, 2) == "RS" and "rsa" or alg:lower()
  public[alg], private[alg] = jwt.key{ alg = alg, public = PEM[name .. ".pub"] }, jwt.key{ alg = alg, private = PEM[name .. ".pem"] }
end
for _, alg in ipairs{ "HS256", "HS384", "HS512" } do
  public[alg] = jwt.key{ alg = alg, secret = SECRET }
  private[alg] = public[alg]
end
''' % (SECRET, ", ".join(f'["{name}"] = {lua(text)}' for name, text in KEYS.items()))

# name, body: it must return true
ROWS = [
    ("every-algorithm-signs-and-verifies-and-no-other-does", '''
        for alg, k in pairs(private) do
          local token = jwt.sign({ sub = "42", n = 9007199254740993, list = { 1, 2 } }, k)
          local claims, header = jwt.verify(token, public[alg])
          if claims.sub ~= "42" or claims.n ~= 9007199254740993 or claims.list[2] ~= 2 or header.alg ~= alg or header.typ ~= "JWT" then return alg end
          if jwt.verify(token, k).sub ~= "42" then return alg .. " private" end
          for other, o in pairs(public) do
            if other ~= alg and code(jwt.verify, token, o) ~= "jwt.algorithm" then return alg .. other end
          end
        end
        return true'''),
    ("claims-of-options-are-set", '''
        local now = fsd.time()
        local claims, header = jwt.verify(jwt.sign({ a = 1 }, key, { expires_in = 60, not_before_in = -5, issuer = "me", audience = { "you", "them" },
          subject = "s", id = "i", kid = "k", header = { x = 1 } }), key, { issuer = "me", audience = "them", subject = "s" })
        local one = jwt.peek(jwt.sign({ iat = 5 }, key, { audience = "one" }))
        return claims.exp >= math.floor(now) + 60 and claims.exp <= now + 61 and claims.nbf < now and math.abs(claims.iat - now) < 5 and claims.jti == "i"
          and claims.aud[1] == "you" and header.kid == "k" and header.typ == "JWT" and header.x == 1 and one.aud == "one" and one.iat == 5
          and jwt.peek(jwt.sign({}, key, { issued_at = false })).iat == nil'''),
    ("a-token-that-says-none-is-nothing", '''
        for _, alg in ipairs{ "none", "None", "NONE", "", "hs256", "RS256 " } do
          local bare = enc{ alg = alg, typ = "JWT" } .. "." .. enc{ sub = "1" } .. "."
          local c = code(jwt.verify, bare, key)
          if c ~= "jwt.malformed" then return alg .. tostring(c) end
          if code(jwt.verify, hs({ alg = alg }, { sub = "1" }), key) ~= "jwt.algorithm" then return alg end
          if code(jwt.verify, hs({ alg = alg }, { sub = "1" }), { public.RS256, key }) ~= "jwt.algorithm" then return alg end
        end
        return true'''),
    ("a-public-key-is-no-secret", '''
        local forged = hs({ alg = "HS256" }, { sub = "admin" }, PEM["rsa.pub"])
        return code(jwt.verify, forged, public.RS256) == "jwt.algorithm"
          and code(jwt.verify, forged, { public.RS256, public.ES256 }) == "jwt.algorithm"
          and code(jwt.verify, forged, { public.RS256, key }) == "jwt.signature"
          and failure(jwt.key, { alg = "HS256", secret = PEM["rsa.pub"] }).message:find("a key in PEM is no secret", 1, true) and true'''),
    ("what-was-changed-is-not-signed", '''
        for alg, k in pairs(private) do
          local head, claims, signature = parts(jwt.sign({ sub = "42" }, k))
          local other = enc{ sub = "43" }
          local bytes = base64.decode_url(signature)
          local function with(s) return head .. "." .. claims .. "." .. base64.encode_url(s) end
          for what, token in pairs{
            claims = head .. "." .. other .. "." .. signature, bit = with(string.char(bytes:byte(1) ~ 1) .. bytes:sub(2)), zeros = with(("\\0"):rep(#bytes)),
            short = with(bytes:sub(1, -2)), long = with(bytes .. "\\0"), one = with("x"), big = with(("x"):rep(3000)),
          } do
            local c = code(jwt.verify, token, public[alg])
            if c ~= "jwt.signature" then return alg .. what .. tostring(c) end
          end
        end
        return true'''),
    ("what-has-not-the-form-of-a-token-is-malformed", '''
        local token = jwt.sign({ sub = "42" }, key)
        local head, claims, signature = parts(token)
        for i, text in ipairs{ "", ".", "..", "a.b.c", "a.b", token .. ".", "." .. token, token .. "=", token .. "\\n", " " .. token, token .. "." .. signature,
          head .. "." .. claims, head .. "." .. claims .. ".", head .. ".." .. signature, "." .. claims .. "." .. signature, token:gsub("%.", "..", 1),
          head .. "=." .. claims .. "." .. signature, head .. "\\0." .. claims .. "." .. signature, ("x"):rep(70000), ("."):rep(60000),
          head .. "." .. ("A"):rep(65536) .. "." .. signature, "\\0" .. token } do
          local c = code(jwt.verify, text, key)
          if c ~= "jwt.malformed" then return i .. tostring(c) end
        end
        for i, token in ipairs{ hs("[]", {}), hs("1", {}), hs("{", {}), hs({ alg = "HS256" }, "[]"), hs({ alg = "HS256" }, "1"), hs({ alg = "HS256" }, "{}x"), hs({}, {}),
          hs({ alg = 1 }, {}), hs({ alg = "HS256", kid = 1 }, {}), hs({ alg = "HS256", kid = { "a" } }, {}), hs({ alg = "HS256", crit = { "b64" }, b64 = false }, {}),
          hs({ alg = "HS256" }, ('{"a":'):rep(50) .. "1" .. ("}"):rep(50)), hs({ alg = "HS256" }, { exp = "1" }), hs({ alg = "HS256" }, { nbf = {} }) } do
          local c = code(jwt.verify, token, key)
          if c ~= "jwt.malformed" then return "head " .. i .. tostring(c) end
        end
        return code(jwt.verify, nil, key) == "jwt.malformed" and code(jwt.verify, 42, key) == "jwt.malformed"'''),
    ("times-are-checked-with-leeway", '''
        local function at(claims, options) options.now = 1000 return code(jwt.verify, jwt.sign(claims, key, { issued_at = false }), key, options) end
        return at({ exp = 1001 }, {}) == nil and at({ exp = 1000 }, {}) == "jwt.expired" and at({ exp = 1000 }, { leeway = 1 }) == nil
          and at({ exp = 990.5 }, { leeway = 10 }) == nil and at({ exp = -1 }, {}) == "jwt.expired" and at({ exp = 990 }, { leeway = 10 }) == "jwt.expired"
          and at({ nbf = 1000 }, {}) == nil and at({ nbf = 1001 }, {}) == "jwt.not_before" and at({ nbf = 1001 }, { leeway = 1 }) == nil
          and at({ iat = 1001 }, {}) == "jwt.not_before" and at({ iat = 1001 }, { leeway = 1 }) == nil
          and at({ iat = 900 }, { max_age = 100 }) == "jwt.expired" and at({ iat = 901 }, { max_age = 100 }) == nil and at({}, { max_age = 1 }) == "jwt.missing"
          and at({}, { required = { "exp" } }) == "jwt.missing" and at({ exp = 2000 }, { required = { "exp" } }) == nil
          and mistake(jwt.verify, "", key, { leeway = 61 }):find("0 to 60", 1, true) and mistake(jwt.verify, "", key, { leeway = -1 }):find("0 to 60", 1, true) and true'''),
    ("issuer-audience-and-subject-are-checked", '''
        local function with(claims, options, sign) return code(jwt.verify, jwt.sign(claims, key, sign), key, options) end
        return with({}, { issuer = "a" }) == "jwt.issuer" and with({ iss = "b" }, { issuer = "a" }) == "jwt.issuer" and with({ iss = "b" }, { issuer = { "a", "b" } }) == nil
          and with({ iss = { "a" } }, { issuer = "a" }) == "jwt.issuer" and with({}, { audience = "a" }) == "jwt.audience"
          and with({ aud = "b" }, { audience = "a" }) == "jwt.audience" and with({ aud = { "b", "a" } }, { audience = "a" }) == nil
          and with({ aud = { 1, true } }, { audience = "a" }) == "jwt.audience" and with({ aud = "b" }, { audience = { "a", "b" } }) == nil
          and with({ sub = "a" }, { subject = "b" }) == "jwt.subject" and code(jwt.verify, hs({ alg = "HS256", typ = "at+jwt" }, {}), key) == "jwt.malformed"
          and jwt.verify(hs({ alg = "HS256", typ = "jwt" }, { a = 1 }), key).a == 1 and jwt.verify(hs({ alg = "HS256" }, { a = 1 }), key).a == 1'''),
    ("the-key-is-chosen-by-kid-and-algorithm", '''
        local one = jwt.key{ alg = "HS256", secret = crypto.random_bytes(32), kid = "1" }
        local two = jwt.key{ alg = "HS256", secret = crypto.random_bytes(32), kid = "2" }
        local set = { one, two, public.RS256 }
        local _, _, used = jwt.verify(jwt.sign({}, two), set)
        local named
        local claims = jwt.verify(jwt.sign({ a = 1 }, two), function(header) named = header.kid return two end)
        return used == two and jwt.verify(jwt.sign({ a = 1 }, two, { kid = "2" }), set).a == 1 and code(jwt.verify, jwt.sign({}, two, { kid = "3" }), set) == "jwt.unknown_key"
          and code(jwt.verify, jwt.sign({}, two, { kid = "1" }), set) == "jwt.signature" and jwt.verify(jwt.sign({ a = 1 }, key), { one, two, key }).a == 1
          and named == "2" and claims.a == 1 and code(jwt.verify, jwt.sign({}, two), function() end) == "jwt.algorithm"
          and code(jwt.verify, jwt.sign({}, private.RS256, { kid = "../../etc/passwd" }), set) == nil and used.alg == "HS256" and used.kid == "2"'''),
    ("keys-that-do-not-fit-are-refused", '''
        local function why(options) local err = failure(jwt.key, options) return err.code == "jwt.key" and err.message or "no" end
        return why{ alg = "RS256", public = PEM["weak.pub"] }:find("must have 2048 to 8192 bits, got 1024", 1, true)
          and why{ alg = "ES256", public = PEM["es384.pub"] }:find("not of the curve prime256v1", 1, true)
          and why{ alg = "RS256", public = PEM["es256.pub"] }:find("of another kind", 1, true) and why{ alg = "ES256", private = PEM["rsa.pem"] }:find("of another kind", 1, true)
          and why{ alg = "RS256", private = PEM["encrypted.pem"] }:find("without a passphrase", 1, true)
          and why{ alg = "RS256", public = PEM["rsa.pem"] }:find("no public key", 1, true) and why{ alg = "RS256", private = PEM["rsa.pub"] }:find("no private key", 1, true)
          and why{ alg = "RS256", public = "" }:find("no public key", 1, true) and why{ alg = "RS256", secret = SECRET }:find("pair of keys, no secret", 1, true)
          and why{ alg = "HS256", public = PEM["rsa.pub"] }:find("a secret, no pair of keys", 1, true) and why{ alg = "HS256", secret = ("x"):rep(31) }:find("at least 32 bytes, got 31", 1, true)
          and why{ alg = "HS512", secret = ("x"):rep(63) }:find("at least 64 bytes", 1, true) and true'''),
    ("mistakes-are-said", '''
        return mistake(jwt.key, { alg = "none", secret = SECRET }):find("alg must be one of HS256", 1, true) and mistake(jwt.key, { alg = "HS256" }):find("one of secret, public and private", 1, true)
          and mistake(jwt.key, { secret = SECRET }):find("alg must be one of", 1, true) and mistake(jwt.key, { alg = "HS256", sekret = "" }):find('unknown option "sekret"', 1, true)
          and mistake(jwt.sign, {}, public.RS256):find("a public key cannot sign", 1, true) and mistake(jwt.sign, {}, SECRET):find("a key of jwt.key is needed", 1, true)
          and mistake(jwt.sign, { exp = 1 }, key, { expires_in = 1 }):find('the claim "exp" is given twice', 1, true) and mistake(jwt.sign, {}, key, { header = { alg = "none" } }):find('may not say "alg"', 1, true)
          and mistake(jwt.sign, {}, key, { header = { typ = "x" } }):find('may not say "typ"', 1, true)
          and mistake(jwt.sign, {}, key, { expires = 1 }):find('unknown option "expires"', 1, true) and mistake(jwt.verify, jwt.sign({}, key), SECRET):find("keys of jwt.key", 1, true)
          and mistake(jwt.verify, jwt.sign({}, key), { SECRET }):find("keys of jwt.key", 1, true) and mistake(jwt.sign, { f = print }, key):find("cannot encode a function", 1, true) and true'''),
    ("a-private-key-verifies-what-it-signs-and-does-not-show-itself", '''
        local text = tostring(private.RS256) .. tostring(key)
        for name, value in pairs(key) do text = text .. tostring(name) .. tostring(value) end
        return not text:find("secret of", 1, true) and not text:find("BEGIN", 1, true) and getmetatable(key) == "fsd.jwt.Key"'''),
    ("sets-of-keys-are-read", '''
        local set = jwt.keys(json.encode{ keys = { { kty = "oct", alg = "HS256", kid = "a", k = base64.encode_url(SECRET) }, { kty = "OKP", crv = "Ed25519", x = "AA" },
          { kty = "RSA", use = "enc", alg = "RS256", n = "AQAB", e = "AQAB" }, { kty = "EC", crv = "P-256", key_ops = { "sign" }, x = "AA", y = "AA" }, { kty = "RSA", alg = "HS256", k = "AA" } } })
        local function why(...) local err = failure(...) return err.code == "jwt.key" and err.message or "no" end
        return #set == 1 and set[1].kid == "a" and jwt.verify(jwt.sign({ x = 1 }, key), set).x == 1
          and why(jwt.keys, "{}"):find('no list "keys"', 1, true) and why(jwt.keys, { keys = { 1 } }):find("not an object", 1, true)
          and why(jwt.keys, { keys = { { kty = "EC", crv = "P-256", x = "AA", y = "AA" } } }):find("its numbers make none", 1, true)
          and why(jwt.keys, { keys = { { kty = "EC", crv = "P-256", x = base64.encode_url(("x"):rep(32)), y = base64.encode_url(("x"):rep(32)) } } }):find("its numbers make none", 1, true)
          and why(jwt.keys, { keys = { { kty = "RSA", alg = "RS256", n = "?", e = "AQAB" } } }):find('no "n" in base64url', 1, true)
          and why(jwt.keys, { keys = { { kty = "RSA", alg = "RS256", n = "AQAB", e = "AQAB" } } }):find("2048", 1, true) and failure(jwt.keys, "{").name == "JsonError" and true'''),
]

# RFC 7515, appendices A.1 to A.3: tokens that others have signed.
RFC_CLAIMS = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
RFC_SET = {"keys": [
    {"kty": "oct", "alg": "HS256", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"},
    {"kty": "RSA", "e": "AQAB", "n":
     "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs"
     "D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV"
     "MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"},
    {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}
RFC_TOKENS = {
    "HS256": "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + RFC_CLAIMS + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    "RS256": "eyJhbGciOiJSUzI1NiJ9." + RFC_CLAIMS + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2F"
             "p5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6"
             "_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    "ES256": "eyJhbGciOiJFUzI1NiJ9." + RFC_CLAIMS + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
}


@pytest.fixture(scope="module")
def app(serve):
    other = '''
app:post("/verify", function(req)
  local asked = req:json()
  local claims, err = fsd.try(jwt.verify, asked.token, jwt.keys(asked.set, { alg = "RS256" }), { now = 1300819379 })
  return { claims = claims, code = err and err.code }
end)
app:get("/sign", function() return jwt.sign({ sub = "42" }, key) end)
'''
    return serve(app_of(ROWS, HEAD + other))


@pytest.mark.parametrize("row", ROWS, ids=names(ROWS))
def test_row(app, row):
    answer = app.get("/" + row[0])
    assert (answer.status, answer.text) == (200, "true")


@pytest.mark.parametrize("alg", RFC_TOKENS)
def test_what_others_have_signed_is_verified(app, alg):
    answer = app.request("POST", "/verify", {"set": RFC_SET, "token": RFC_TOKENS[alg]}).json()
    assert answer == {"claims": {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}}
    broken = RFC_TOKENS[alg][:-4] + "AAAA"
    assert app.request("POST", "/verify", {"set": RFC_SET, "token": broken}).json()["code"] == "jwt.signature"


def test_others_can_verify_what_was_signed(app):
    head, claims, signature = app.get("/sign").text.split(".")
    expected = hmac.new(SECRET.encode(), f"{head}.{claims}".encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(signature + "=") == expected
    assert json.loads(base64.urlsafe_b64decode(head + "==")) == {"alg": "HS256", "typ": "JWT"}
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["sub"] == "42"
