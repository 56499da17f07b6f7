---@meta fsd.url

---URLs and relative references (RFC 3986), to the letter: spaces, letters of other alphabets, backslashes and broken escapes are refused, so
---that no two programs read one text differently. `encode` makes such a text of one that people write. At most 1 MiB.
---@class fsd.url
local url = {}

---The parts of a URL; what is not there is nil, which is not the same as the empty string.
---@class fsd.url.Parts
---@field scheme? string in small letters
---@field user? string without escapes
---@field password? string without escapes
---@field host? string in small letters; an IPv6 address in its brackets
---@field port? integer
---@field path? string with its escapes
---@field query? string with its escapes, see `query_decode`
---@field fragment? string with its escapes

---Takes a URL apart. Raises `UrlError` with the code `url.parse` (status 400) and the place.
---@param text string
---@return fsd.url.Parts
function url.parse(text) end

---Puts a URL together: `query` may be a table for `query_encode`; what has no place in a part is escaped. Raises `UrlError` with the code
---`url.format` when the parts make none.
---@param parts table as `fsd.url.Parts`
---@return string
function url.format(parts) end

---The URL that a reference means on the page with the URL `base`: `resolve("https://a.example/b/c", "../d")` is `"https://a.example/d"`.
---Raises `UrlError` with the code `url.parse`.
---@param base string
---@param reference string
---@return string
function url.resolve(base, reference) end

---Escapes what cannot stand in a URL; what has a meaning there stays, and escapes too.
---@param text string
---@return string
function url.encode(text) end

---Escapes everything but letters, digits and `-._~`: for a segment of a path, or a value.
---@param text string
---@return string
function url.encode_component(text) end

---Takes escapes out. Raises `UrlError` with the code `url.decode` (status 400) where a `%` has no two digits.
---@param text string
---@return string
function url.decode(text) end

---A query of names and values, in the order of the names; a list gives one pair for each element, and a space becomes `+`.
---@param query table<string, string|number|boolean|(string|number|boolean)[]>
---@return string
function url.query_encode(query) end

---The names and values of a query, without its `?`; a name that comes again has a list. Raises `UrlError` (`url.decode`, or `url.query`: more
---than 1000 pairs).
---@param text string
---@return table<string, string|string[]>
function url.query_decode(text) end

return url
