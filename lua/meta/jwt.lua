---@meta fsd.jwt

---JSON Web Tokens that are signed (RFC 7519, 7515). The algorithm is fixed by the key: a token that names another one is refused, and
---"none" is no algorithm here. Tokens whose `typ` is something else than "JWT" are refused, because libjwt 1.10 reads no others. Failures
---of `verify` raise `JwtError` with status 401 and one of the codes `jwt.malformed`, `jwt.algorithm` (no key is for the token's),
---`jwt.unknown_key` (no key has its kid), `jwt.signature`, `jwt.expired`, `jwt.not_before`, `jwt.issuer`, `jwt.audience`, `jwt.subject`,
---`jwt.missing` (a claim that is required). A key that cannot be made raises `JwtError` with the code `jwt.key` (status 500) and says what
---is wrong with it.
---@class fsd.jwt
local jwt = {}

---@alias fsd.jwt.Algorithm "HS256"|"HS384"|"HS512"|"RS256"|"RS384"|"RS512"|"ES256"|"ES384"|"ES512"

---A key of one algorithm. It does not show what it is made of.
---@class fsd.jwt.Key
---@field alg fsd.jwt.Algorithm
---@field kid? string

---@class fsd.jwt.KeyOptions
---@field alg fsd.jwt.Algorithm
---@field secret? string of HS: at least as many bytes as the hash has (32, 48, 64)
---@field public? string of RS and ES, PEM: a public key or a certificate; RSA with 2048 to 8192 bits
---@field private? string of RS and ES, PEM without a passphrase; RSA with 2048 to 4096 bits
---@field kid? string its name, when there are several

---@class fsd.jwt.KeysOptions
---@field alg? fsd.jwt.Algorithm of RSA and secret keys that do not say what they are for

---@class fsd.jwt.SignOptions
---@field expires_in? number seconds from now: the claim `exp`
---@field not_before_in? number seconds from now: the claim `nbf`
---@field issued_at? boolean whether the claim `iat` is set, true by default
---@field issuer? string the claim `iss`
---@field audience? string|string[] the claim `aud`
---@field subject? string the claim `sub`
---@field id? string the claim `jti`
---@field kid? string by default the key's
---@field header? table more fields of the head; not alg, kid and typ

---@class fsd.jwt.VerifyOptions
---@field issuer? string|string[] the claim `iss` must be one of these
---@field audience? string|string[] the claim `aud` must name one of these
---@field subject? string the claim `sub` must be this
---@field required? string[] claims that must be there
---@field max_age? number seconds since `iat`, which must be there then
---@field leeway? number seconds that clocks may differ, 0 to 60, 0 by default
---@field now? number seconds since 1970, for tests

---A key, to be made once. A private key signs and verifies, a public key verifies, a secret does both. Text in PEM is refused as a secret.
---@param options fsd.jwt.KeyOptions
---@return fsd.jwt.Key
function jwt.key(options) end

---The keys of a JSON Web Key Set (RFC 7517), which verify. Those for encryption and of unknown kinds are left out.
---@param source string|table JSON, or what was decoded from it
---@param options? fsd.jwt.KeysOptions
---@return fsd.jwt.Key[]
function jwt.keys(source, options) end

---A signed token; `exp`, `nbf` and `iat` are whole seconds. The type in its head is always "JWT".
---@param claims table
---@param key fsd.jwt.Key
---@param options? fsd.jwt.SignOptions
---@return string token at most 64 KiB
function jwt.sign(claims, key, options) end

---The claims of a token whose signature is of one of the keys, and that is valid now: `exp`, `nbf` and `iat` are checked when they are there.
---Of several keys only those of its algorithm are tried, and, if it names a kid, those with that kid or without any; a function gets the
---head, and returns the keys.
---@param token any what is no string is malformed
---@param keys fsd.jwt.Key|fsd.jwt.Key[]|fun(header: table): fsd.jwt.Key|fsd.jwt.Key[]|nil
---@param options? fsd.jwt.VerifyOptions
---@return table claims
---@return table header
---@return fsd.jwt.Key key whose signature it is
function jwt.verify(token, keys, options) end

---What a token says, which anybody may have written: nothing is verified. For logs, and to find out which keys to fetch.
---@param token any
---@return table claims
---@return table header
function jwt.peek(token) end

return jwt
